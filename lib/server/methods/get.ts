import type * as v from "valibot";
import { BLOCK_BYTES, MAX_NUMBERED_BYTES, type Range } from "../../block.ts";
import { ProtocolError, StreamError } from "../../errors.ts";
import { checkPath } from "../../path.ts";
import { ChunkKind } from "../../protocol/chunk.ts";
import { wireOfReason } from "../../protocol/messages.ts";
import { GetRequest, Nothing } from "../../protocol/methods.ts";
import { decodeRecordBatches } from "../../protocol/records.ts";
import { quote } from "../../quote.ts";
import type { Stream } from "../../session/stream.ts";
import type { FileFacts, StorageEntry } from "../../storage/storage.ts";
import { ChunkWriter } from "../../transfer/chunk-writer.ts";
import { FileSender, SMALL_BYTES } from "../../transfer/file-sender.ts";
import { Yielder } from "../../yielder.ts";
import { failureOf } from "../failure.ts";
import type { Member } from "../member.ts";
import { type Call, defineMethod } from "../method.ts";
import type { ServerParts } from "../parts.ts";
import { GET_NEED, getSizes } from "../transfer-needs.ts";

type Request = v.InferOutput<typeof GetRequest>;

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
  let lastId = -1;
  for await (const requests of decodeRecordBatches(GetRequest, stream.pieces())) {
    for (const request of requests) {
      if (stream.isClosed) return;
      if (request.id <= lastId) {
        throw new ProtocolError("BAD_PAYLOAD", `The number ${request.id} of a request comes after ${lastId}.`);
      }
      lastId = request.id;
      try {
        checkPath(request.path, member.paths);
        if (!member.knowsHoles) request.holes = false;
        if (request.digest && member.knowsDigests) await sendDigest(request, stream, writer, sender, server);
        else await sendOne(request, writer, sender, server);
      } catch (thrown) {
        if (stream.isClosed) throw thrown;
        const { code, message } = failureOf(thrown, { name: member.name, method: "get" }, server.failures);
        await writer.json(ChunkKind.FAIL, request.id, { code: wireOfReason(code), message });
      }
      if (yielder.isDue) await yielder.pause();
    }
  }
  await writer.flush();
}

/** @throws StorageError as Storage.open(); StreamError CHANGED, BAD_PARAMS; as Stream.write() */
async function sendOne(request: Request, writer: ChunkWriter, sender: FileSender, server: Source): Promise<void> {
  const { id, path, offset, length, etag } = request;
  const isWhole = offset === 0 && length === undefined;
  const small = isWhole ? await server.storage.load(path, SMALL_BYTES) : undefined;
  if (small !== undefined && (etag === undefined || etag === small.entry.etag)) {
    await writer.json(ChunkKind.FILE, id, factsOf(small.entry));
    await sender.sendLoaded(id, small.bytes);
    return;
  }
  await sendOpened(request, writer, sender, server);
}

/** As sendOne(), with the SHA-256 in FILE. @throws as sendOne(); CommError INTERRUPTED when nobody wants it any more */
async function sendDigest(
  request: Request,
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
  await sendOpened({ etag: facts.etag, ...request }, writer, sender, server, { sha256 });
}

/** Open the file, send FILE with `more` in it, and the requested parts. @throws as sendOne() */
async function sendOpened(
  request: Request,
  writer: ChunkWriter,
  sender: FileSender,
  server: Source,
  more: { sha256?: string } = {},
): Promise<void> {
  const { id, path, offset, length } = request;
  const file = await server.storage.open(path);
  try {
    const range = rangeOf(request, file.entry);
    const holes = request.holes ? file.holes() : [];
    await writer.json(ChunkKind.FILE, id, { ...factsOf(file.entry), ...tell(holes), ...more });
    // A part is requested again after it arrived damaged: then the known digest may be wrong.
    const isWhole = offset === 0 && length === undefined;
    const digests = isWhole ? server.transfers.blockDigests.of(file.entry) : undefined;
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
