import { StreamError } from "../errors.ts";
import { baseName } from "../path.ts";
import { quote } from "../quote.ts";
import type { GatewayParts } from "../server/parts.ts";
import type { OpenFile } from "../storage/storage.ts";
import { entityTag, tagOf } from "./entity-tag.ts";
import { sendFilePart } from "./file-body.ts";
import { contentDisposition, digestFields, typeOf } from "./file-fields.ts";
import type { HttpCall } from "./http-call.ts";
import { answerWith } from "./representation.ts";

/** A file shown as a page can't run, load or send anything, whatever is in the file. */
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
  server: GatewayParts,
): Promise<void> {
  const file = await server.storage.open(path);
  try {
    const { etag } = file.entry;
    if (wanted !== null && wanted !== etag && wanted !== entityTag(etag)) {
      throw new StreamError("CHANGED", `${quote(path)} has changed.`);
    }
    await answerOpenFile(call, file, server);
  } finally {
    await file.close();
  }
}

/** As answerFile(), for an open file, which stays open. The answer does not reveal its folder. */
export async function answerOpenFile(
  call: HttpCall,
  file: OpenFile,
  { clock, digests }: Pick<GatewayParts, "clock" | "digests">,
): Promise<void> {
  const { path, size, modifiedAt } = file.entry;
  const now = clock.wallTime();
  const tag = tagOf(file.entry, now);
  const type = await typeOf(file);
  const sha256 = digests.known(file.entry);
  const headers = {
    "content-disposition": contentDisposition(path, type),
    "content-security-policy": FILE_POLICY,
    ...(sha256 !== undefined && digestFields(sha256)),
  };
  const name = quote(baseName(path));
  const sendPart = (to: HttpCall, part: readonly [number, number]) => sendFilePart(to, file, part);
  await answerWith(call, { name, size, type, tag, modifiedAt, headers, sendPart }, now);
}
