import { StreamError } from "../errors.ts";
import { quote } from "../quote.ts";
import type { GatewayParts } from "../server/parts.ts";
import { entityTag } from "./entity-tag.ts";
import { sendFilePart } from "./file-body.ts";
import { contentDisposition, contentType, digestFields } from "./file-fields.ts";
import type { HttpCall } from "./http-call.ts";
import { answerWith } from "./representation.ts";

/** A file's page can run nothing, load nothing and send nothing, whatever is in the file. */
const FILE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'";

/**
 * Answer GET and HEAD for a file. `wanted`: the etag of the query `?etag=`, for clients that send no If-Range.
 *
 * @throws StorageError as Storage.open(); StreamError CHANGED
 */
export async function answerFile(
  call: HttpCall,
  path: string,
  wanted: string | null,
  { storage, clock, digests }: GatewayParts,
): Promise<void> {
  const file = await storage.open(path);
  try {
    const { size, modifiedAt, etag } = file.entry;
    const tag = entityTag(etag);
    if (wanted !== null && wanted !== etag && wanted !== tag) {
      throw new StreamError("CHANGED", `${quote(path)} has changed.`);
    }
    const type = contentType(path);
    const sha256 = digests.known(file.entry);
    const headers = {
      "content-disposition": contentDisposition(path, type),
      "content-security-policy": FILE_POLICY,
      ...(sha256 !== undefined && digestFields(sha256)),
    };
    const sendPart = (to: HttpCall, part: readonly [number, number]) => sendFilePart(to, file, part);
    await answerWith(call, { name: quote(path), size, type, tag, modifiedAt, headers, sendPart }, clock.wallTime());
  } finally {
    await file.close();
  }
}
