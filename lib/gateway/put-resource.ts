import { BLOCK_BYTES } from "../block.ts";
import { StreamError } from "../errors.ts";
import { quote } from "../quote.ts";
import type { GatewayParts } from "../server/parts.ts";
import { WEB_PUT_NEED, webPutBlocks } from "../server/transfer-needs.ts";
import { type ExistsPolicy, type FileFacts, isSmall, type StorageEntry } from "../storage/storage.ts";
import { writeBlocks } from "../transfer/write-blocks.ts";
import { BodyDigests } from "./body-digests.ts";
import { tagOf } from "./entity-tag.ts";
import type { HttpCall } from "./http-call.ts";
import { formatHttpDate } from "./http-date.ts";
import { HttpFault } from "./http-fault.ts";
import { entryAt, replacedAt, requireState } from "./present-state.ts";
import { RequestBody } from "./request-body.ts";
import { readUpload, type Upload } from "./upload-fields.ts";
import { newPartTag, nextByte, timeOfPart, wrongOffset } from "./upload-part.ts";

/** The advice when a request continues at another offset than the part. */
const SEND = ": send the rest from there, or all of it";

/** An incoming file. */
interface Coming {
  readonly path: string;
  readonly upload: Upload;
  readonly exists: ExistsPolicy;
  readonly body: RequestBody;
  readonly digests: BodyDigests;
}

/**
 * Answer PUT of a file. All that can be checked is checked before the body. A file of several blocks is received as
 * with `put`: into a part that can be resumed, and it is visible when it is complete and durable.
 *
 * @throws StorageError as Storage.receive(), store(); StreamError; HttpFault; as RequestBody.fill()
 */
export async function putFile(call: HttpCall, path: string, server: GatewayParts): Promise<void> {
  const { clock, events, turns } = server;
  const { guest, request } = call;
  if (guest === undefined) return;
  const upload = readUpload(request.headers, clock.wallTime());
  const digests = new BodyDigests(request.headers);
  if (upload.offset > 0 && digests.isOfWhole) {
    throw new StreamError("BAD_PARAMS", "With a part of a file, only Content-Digest can be checked.");
  }
  const before = await replacedAt(path, server);
  requireState(call, path, before, clock.wallTime());
  const body = new RequestBody(call, clock);
  const coming: Coming = {
    path,
    upload,
    exists: before === undefined && request.headers["if-none-match"] === "*" ? "fail" : "overwrite",
    body,
    digests,
  };
  try {
    await guest.member.transfers.run(call, WEB_PUT_NEED, async (grant) => {
      const isHeld = upload.size === undefined || isSmall({ size: upload.size });
      const blocks = webPutBlocks(grant.bytes);
      let isAtWork = false;
      grant.isAtWork = () => isAtWork;
      const store: Store = (size, commit) => {
        isAtWork = true;
        return turns.run(path, async () => {
          // Others may have changed it meanwhile.
          requireState(call, path, await entryAt(path, server), clock.wallTime());
          await commit();
          events.emit({ event: "stored", name: guest.member.name, path, size });
          // In the same turn, so that the answer has the state of this file, and not of a later one.
          return entryAt(path, server);
        });
      };
      const stored = isHeld
        ? await receiveHeld(coming, server, store)
        : await receivePart(coming, upload.size, { server, blocks, store });
      replyStored(call, stored, { isNew: before === undefined, upload, now: clock.wallTime() });
    });
  } finally {
    body.close();
  }
}

/** Commit a file of `size` bytes. @returns its entry; undefined where the client may not see it */
type Store = (size: number, commit: () => string | Promise<string>) => Promise<StorageEntry | undefined>;

/** Receive a body that is kept in memory until it is complete. */
async function receiveHeld(coming: Coming, server: GatewayParts, store: Store): Promise<StorageEntry | undefined> {
  const { path, upload, exists, body, digests } = coming;
  const { storage, clock, transfers } = server;
  if (upload.offset > 0) throw wrongOffset(path, 0, SEND);
  const facts = factsOf({ ...upload, size: upload.size ?? 0 }, clock.wallTime());
  await storage.place(path, facts, exists);
  const buffer = transfers.buffers.take();
  try {
    const room = buffer.subarray(0, upload.size ?? BLOCK_BYTES + 1);
    const size = await body.fill(room);
    if (upload.size === undefined && size > BLOCK_BYTES) {
      const words = `A body of more than ${BLOCK_BYTES} bytes needs Content-Length, and no chunks.`;
      throw new HttpFault("BAD_PARAMS", words, { status: 411 });
    }
    if (upload.size !== undefined && size < upload.size) throw tooShort();
    await body.requireEnd();
    const bytes = buffer.subarray(0, size);
    digests.update(bytes);
    digests.check();
    return await store(size, () => storage.store(path, { ...facts, size }, exists, bytes));
  } finally {
    transfers.buffers.give(buffer);
  }
}

interface Means {
  readonly server: GatewayParts;
  /** Blocks in memory at once. */
  readonly blocks: number;
  readonly store: Store;
}

/** Receive a body into a part, block by block. */
async function receivePart(
  coming: Coming,
  size: number,
  { server, blocks, store }: Means,
): Promise<StorageEntry | undefined> {
  const { path, upload, exists, body, digests } = coming;
  const { storage, clock, transfers } = server;
  const facts =
    upload.offset === 0 ? factsOf({ ...upload, size }, clock.wallTime()) : await factsOfPart(coming, size, server);
  const part = await storage.receive(path, facts, exists);
  try {
    // Another upload may have continued it meanwhile.
    const have = nextByte(part.missing, size);
    if (have !== upload.offset) throw wrongOffset(path, have, SEND);
    const fill = async (buffer: Uint8Array) => {
      if ((await body.fill(buffer)) < buffer.length) throw tooShort();
      digests.update(buffer);
      return true;
    };
    await writeBlocks(part, fill, { offset: upload.offset, blocks, ...transfers });
    await body.requireEnd();
    digests.check();
    return await store(size, () => part.commit());
  } catch (thrown) {
    const isHopeless = thrown instanceof StreamError && ["DIGEST_MISMATCH", "CHANGED"].includes(thrown.code);
    await (isHopeless ? part.discard() : part.keep());
    throw thrown;
  }
}

/** The facts of the part to resume. @throws HttpFault when it is missing, or shorter; StreamError CHANGED */
async function factsOfPart(
  { path, upload, exists }: Coming,
  size: number,
  { storage }: GatewayParts,
): Promise<FileFacts> {
  const { modifiedAt, offset } = upload;
  const placement = await storage.place(path, { size, modifiedAt: modifiedAt ?? 0 }, exists);
  const resume = placement.outcome === "vacant" ? placement.resume : undefined;
  const time = timeOfPart(resume?.etag ?? "");
  if (resume === undefined || time === undefined) throw wrongOffset(path, 0, SEND);
  if (modifiedAt !== undefined && modifiedAt !== time) {
    throw new StreamError("CHANGED", `The present part of ${quote(path)} belongs to a file with another time.`);
  }
  const have = nextByte(resume.missing, size);
  if (have !== offset) throw wrongOffset(path, have, SEND);
  return { size, modifiedAt: time, executable: false, etag: resume.etag };
}

/** The facts of a new part, which resumes nothing. */
function factsOf(
  { size, modifiedAt = Number.NaN }: { size: number; modifiedAt: number | undefined },
  now: number,
): FileFacts {
  const time = Number.isNaN(modifiedAt) ? now : modifiedAt;
  return { size, modifiedAt: time, executable: false, etag: newPartTag(time) };
}

function tooShort(): StreamError {
  return new StreamError("BAD_PARAMS", "The body is shorter than announced.");
}

function replyStored(
  call: HttpCall,
  entry: StorageEntry | undefined,
  { isNew, upload, now }: { isNew: boolean; upload: Upload; now: number },
): void {
  call.reply(isNew ? 201 : 204, {
    ...(entry && { etag: tagOf(entry, now), "last-modified": formatHttpDate(entry.modifiedAt) }),
    ...(upload.modifiedAt !== undefined && { "x-oc-mtime": "accepted" }),
  });
}
