import { StreamError } from "../errors.ts";
import { baseName } from "../path.ts";
import { quote } from "../quote.ts";
import type { GatewayParts } from "../server/parts.ts";
import type { LoadedFile, OpenFile, StorageEntry } from "../storage/storage.ts";
import { entityTag, tagOf } from "./entity-tag.ts";
import { sendBytes, sendFilePart } from "./file-body.ts";
import { contentDisposition, digestFields, typeOf, typeOfBytes } from "./file-fields.ts";
import type { HttpCall } from "./http-call.ts";
import { answerWith, type Representation } from "./representation.ts";

type FileParts = Pick<GatewayParts, "clock" | "digests">;

/** A file of up to this size is sent from memory. */
const LOADED_BYTES = 64 * 1024;

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
  // Small files come by the thousand: one that fits into memory now is read at once, and closed again.
  const memory = call.guest?.member.memory.tryReserve(LOADED_BYTES);
  try {
    const small = memory && (await server.storage.load(path, LOADED_BYTES));
    if (small !== undefined) {
      requireWanted(small.entry, wanted);
      return await answerLoaded(call, small, server);
    }
  } finally {
    memory?.release();
  }
  const file = await server.storage.open(path);
  try {
    requireWanted(file.entry, wanted);
    await answerOpenFile(call, file, server);
  } finally {
    await file.close();
  }
}

/** @throws StreamError CHANGED */
function requireWanted({ path, etag }: StorageEntry, wanted: string | null): void {
  if (wanted === null || wanted === etag || wanted === entityTag(etag)) return;
  throw new StreamError("CHANGED", `${quote(path)} has changed.`);
}

function answerLoaded(call: HttpCall, { entry, bytes }: LoadedFile, server: FileParts): Promise<void> {
  const type = typeOfBytes(entry.path, bytes);
  return answerWithFile(call, { entry, type, sendPart: (to, part) => sendBytes(to, bytes.subarray(...part)) }, server);
}

/** As answerFile(), for an open file, which stays open. The answer does not reveal its folder. */
export async function answerOpenFile(call: HttpCall, file: OpenFile, server: FileParts): Promise<void> {
  const type = await typeOf(file);
  await answerWithFile(call, { entry: file.entry, type, sendPart: (to, part) => sendFilePart(to, file, part) }, server);
}

async function answerWithFile(
  call: HttpCall,
  { entry, type, sendPart }: Pick<Representation, "type" | "sendPart"> & { entry: StorageEntry },
  { clock, digests }: FileParts,
): Promise<void> {
  const { path, size, modifiedAt } = entry;
  const now = clock.wallTime();
  const tag = tagOf(entry, now);
  const sha256 = digests.known(entry);
  const headers = {
    "content-disposition": contentDisposition(path, type),
    "content-security-policy": FILE_POLICY,
    ...(sha256 !== undefined && digestFields(sha256)),
  };
  const name = quote(baseName(path));
  await answerWith(call, { name, size, type, tag, modifiedAt, headers, sendPart }, now);
}
