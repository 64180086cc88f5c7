import { BLOCK_BYTES, MAX_NUMBERED_BYTES, type Range } from "../../block.ts";
import { ProtocolError, StreamError } from "../../errors.ts";
import { checkPath } from "../../path.ts";
import { ChunkKind } from "../../protocol/chunk.ts";
import { wireOfReason } from "../../protocol/messages.ts";
import { Nothing } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import type { Stream } from "../../session/stream.ts";
import { type FileFacts, isSmall, type StorageEntry } from "../../storage/storage.ts";
import { ChunkWriter, SMALL_BYTES } from "../../transfer/chunk-writer.ts";
import { FileSender } from "../../transfer/file-sender.ts";
import { GrowingFile } from "../../transfer/growing-file.ts";
import { Yielder } from "../../yielder.ts";
import { failureOf } from "../failure.ts";
import { type GetRequest, GetRequests } from "../get-requests.ts";
import type { Member } from "../member.ts";
import { type Call, defineMethod } from "../method.ts";
import type { ServerParts } from "../parts.ts";
import { GET_NEED, getSizes } from "../transfer-needs.ts";

/** The parts of the server that it uses. */
type Uses = "storage" | "digests" | "transfers" | "failures" | "clock";
type Source = Pick<ServerParts, Uses>;

/** Files, or parts of them, in the order of the requests. */
export const get = defineMethod({
  name: "get",
  role: "read",
  takesBody: true,
  params: Nothing,
  async handle({ stream, member, server }: Call<typeof Nothing, Uses>) {
    const { digest64, buffers, maxWindow } = server.transfers;
    stream.accept({});
    await member.transfers.run(stream, GET_NEED, async (grant) => {
      const { window, blocks } = getSizes(grant.bytes, maxWindow);
      const writer = new ChunkWriter(stream, digest64, server.clock);
      const sender = new FileSender(writer, { blocks, buffers });
      stream.widen(window);
      try {
        await answerRequests(stream, writer, sender, member, server);
      } finally {
        sender.close();
      }
    });
    await stream.end();
  },
});

async function answerRequests(
  stream: Stream,
  writer: ChunkWriter,
  sender: FileSender,
  member: Member,
  server: Source,
): Promise<void> {
  const yielder = new Yielder(server.clock);
  const requests = new GetRequests(stream);
  for (;;) {
    const next = requests.next();
    const request = next instanceof Promise ? await next : next;
    if (request === undefined && requests.isEnded) break;
    if (request === undefined) continue;
    if (stream.isClosed) return;
    try {
      checkPath(request.path, member.paths);
      if (!member.knowsHoles) request.holes = false;
      if (!member.knowsPatches) delete request.key;
      if (request.digest && member.knowsDigests) await sendDigest(request, stream, writer, sender, server);
      else await sendOne(request, requests, writer, sender, server);
    } catch (thrown) {
      if (stream.isClosed || thrown instanceof ProtocolError) throw thrown;
      const { code, message } = failureOf(thrown, { name: member.name, method: "get" }, server.failures);
      await writer.json(ChunkKind.FAIL, request.id, { code: wireOfReason(code), message });
    }
    if (yielder.isDue) await yielder.pause();
  }
  await writer.flush();
}

/** @throws StorageError as Storage.open(); StreamError CHANGED, BAD_PARAMS; as Stream.write() */
async function sendOne(
  request: GetRequest,
  requests: GetRequests,
  writer: ChunkWriter,
  sender: FileSender,
  server: Source,
): Promise<void> {
  const { id, path, offset, length, etag } = request;
  const isWhole = offset === 0 && length === undefined;
  const small = isWhole ? await server.storage.load(path, SMALL_BYTES) : undefined;
  if (small !== undefined && (etag === undefined || etag === small.entry.etag)) {
    await writer.json(ChunkKind.FILE, id, factsOf(small.entry));
    await sender.sendLoaded(id, small.bytes);
    return;
  }
  await sendOpened(request, writer, sender, server, { requests });
}

/** As sendOne(), with the SHA-256 in FILE. @throws as sendOne(); CommError INTERRUPTED when nobody wants it any more */
async function sendDigest(
  request: GetRequest,
  stream: Stream,
  writer: ChunkWriter,
  sender: FileSender,
  server: Source,
): Promise<void> {
  const { id, path, length } = request;
  // The pieces of the digest use the memory of the blocks.
  sender.close();
  const { sha256, ...facts } = await server.digests.digest(path, stream.signal);
  if (length === 0) {
    rangeOf(request, facts);
    await writer.json(ChunkKind.FILE, id, { ...facts, sha256 });
    await writer.seal(id);
    return;
  }
  await sendOpened({ etag: facts.etag, ...request }, writer, sender, server, { more: { sha256 } });
}

/** Open the file, send FILE with `more` in it, and the requested parts; as patches where pieces are offered. @throws as sendOne() */
async function sendOpened(
  request: GetRequest,
  writer: ChunkWriter,
  sender: FileSender,
  server: Source,
  { more = {}, requests }: { more?: { sha256?: string }; requests?: GetRequests },
): Promise<void> {
  const { id, path, offset, length, key } = request;
  const { blockDigests, blockTag } = server.transfers;
  const file = await server.storage.open(path);
  try {
    const range = rangeOf(request, file.entry);
    const holes = request.holes ? file.holes() : [];
    await writer.json(ChunkKind.FILE, id, { ...factsOf(file.entry), ...tell(holes), ...more });
    if (key !== undefined && requests !== undefined && !isSmall(file.entry)) {
      const watched = new GrowingFile(file);
      let [at, end] = range;
      for await (const offer of requests.offers(request, range)) {
        await sender.patch(id, watched, offer, { holes, blockTag });
        at = offer.to;
      }
      await sender.send(id, file, [[at, end]], { holes, watched });
      return;
    }
    // A part is requested again after it arrived damaged: then the known digest may be wrong.
    const isWhole = offset === 0 && length === undefined;
    const digests = isWhole ? blockDigests.of(file.entry) : undefined;
    await sender.send(id, file, [range], { digests, holes });
  } finally {
    await file.close();
  }
}

/** @throws StreamError CHANGED when another state of the file is wanted, BAD_PARAMS */
function rangeOf(
  request: { path: string; offset: number; length?: number | undefined; etag?: string | undefined },
  entry: Pick<StorageEntry, "etag" | "size">,
): Range {
  const { path, offset, length, etag } = request;
  // "The server MUST report the first of several faults in this order: of the path, of what is there, of the `etag`,
  // of the size, of the `offset`." (PROTOCOL.md, "get")
  if (etag !== undefined && etag !== entry.etag) {
    throw new StreamError("CHANGED", `${quote(path)} has changed.`);
  }
  if (entry.size > MAX_NUMBERED_BYTES) {
    throw new StreamError(
      "TOO_LARGE",
      `${quote(path)} has ${entry.size} bytes or more, and no numbers for its blocks.`,
    );
  }
  if (offset % BLOCK_BYTES !== 0 || offset > entry.size) {
    throw new StreamError("BAD_PARAMS", `${quote(path)} has no block at ${offset}.`);
  }
  return [offset, Math.min(entry.size, length === undefined ? entry.size : offset + length)];
}

function tell(holes: readonly Range[]): { holes?: readonly Range[] } {
  return holes.length > 0 ? { holes } : {};
}

export function factsOf({ size, modifiedAt, executable, mode, etag }: FileFacts): FileFacts {
  return { size, modifiedAt, executable, mode, etag };
}
