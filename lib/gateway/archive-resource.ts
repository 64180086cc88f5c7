import { createHash } from "node:crypto";
import { baseName } from "../path.ts";
import { quote } from "../quote.ts";
import { countCall, type Rule } from "../server/guard.ts";
import type { GatewayParts } from "../server/parts.ts";
import { LIST_NEED } from "../server/transfer-needs.ts";
import { fileChanged, type StorageEntry } from "../storage/storage.ts";
import { Yielder } from "../yielder.ts";
import type { ByteRange } from "./byte-ranges.ts";
import { entityTag } from "./entity-tag.ts";
import { sendFilePart } from "./file-body.ts";
import { contentDisposition } from "./file-fields.ts";
import type { HttpCall } from "./http-call.ts";
import { answerWith } from "./representation.ts";
import { TAR_END_BYTES, tarHead, tarPadding } from "./tar.ts";
import { TooOftenError } from "./too-often.ts";

const LIST: Rule = { name: "list", role: "read", kind: "lists" };

/** What a walk through the folder has found. */
interface Measured {
  readonly size: number;
  readonly state: string;
  readonly modifiedAt: number;
  readonly leftOut: number;
}

/**
 * Answer GET and HEAD for everything below a folder as a tar of exact length. The list of the folder tells the place of
 * each byte, so any part can be sent by itself, and only the list is read for what lies before it. The list is not kept:
 * it is walked once to measure, and once more to send.
 *
 * @throws StorageError as Storage.list(); StreamError CHANGED, TooOftenError
 */
export async function answerArchive(call: HttpCall, path: string, server: GatewayParts): Promise<void> {
  const { guest } = call;
  if (guest === undefined) return;
  const tooOften = countCall(LIST, guest.member, server, server.clock.now());
  if (tooOften !== undefined) throw new TooOftenError(tooOften);
  let measured: Measured | undefined;
  await guest.member.lookups.run(call, LIST_NEED, async () => {
    measured = await measure(call, path, server);
  });
  if (measured === undefined) return;
  const { size, state, modifiedAt, leftOut } = measured;
  const type = "application/x-tar";
  const representation = {
    name: quote(path),
    size,
    type,
    tag: entityTag(`tar-${state}`),
    modifiedAt,
    headers: {
      "content-disposition": contentDisposition(`${baseName(path) || "files"}.tar`, type),
      ...(leftOut > 0 && { "x-left-out": `${leftOut}` }),
    },
    sendPart: (to: HttpCall, part: ByteRange) => sendArchivePart(to, path, { part, size, state }, server),
  };
  await answerWith(call, representation, server.clock.wallTime());
}

async function measure(call: HttpCall, path: string, server: GatewayParts): Promise<Measured> {
  const digest = createHash("sha256");
  const skipped = { count: 0 };
  let size = TAR_END_BYTES;
  let modifiedAt = 0;
  for await (const entry of entriesOf(call, path, server, skipped)) {
    size += memberBytes(path, entry);
    modifiedAt = Math.max(modifiedAt, entry.kind === "file" ? entry.modifiedAt : 0);
    digest.update(lineOf(entry));
  }
  return { size, state: digest.digest("base64url"), modifiedAt, leftOut: skipped.count };
}

/** @throws StorageError CHANGED when the folder has changed since it was measured */
async function sendArchivePart(
  call: HttpCall,
  path: string,
  { part: [from, to], size, state }: { part: ByteRange; size: number; state: string },
  server: GatewayParts,
): Promise<void> {
  const digest = createHash("sha256");
  let at = 0;
  for await (const entry of entriesOf(call, path, server, { count: 0 })) {
    digest.update(lineOf(entry));
    const head = tarHead(nameIn(path, entry), entry);
    const bytes = entry.kind === "file" ? entry.size : 0;
    const end = at + head.length + bytes + tarPadding(bytes);
    if (end > from) {
      await sendBytes(call, head, at, [from, to]);
      const data = overlap([at + head.length, at + head.length + bytes], [from, to]);
      if (data !== undefined) await sendMember(call, entry, at + head.length, data, server);
      await sendBytes(call, new Uint8Array(tarPadding(bytes)), at + head.length + bytes, [from, to]);
    }
    at = end;
    if (at >= to || call.isClosed) return;
  }
  if (call.isClosed) return;
  // The last bytes tell the client that everything was as announced.
  if (at + TAR_END_BYTES !== size || digest.digest("base64url") !== state) throw fileChanged(path);
  await sendBytes(call, new Uint8Array(TAR_END_BYTES), at, [from, to]);
}

/** Send the part of a file that lies in `data`, a part of the archive; the file begins at `start` of the archive. */
async function sendMember(
  call: HttpCall,
  entry: StorageEntry,
  start: number,
  [from, to]: ByteRange,
  { storage }: GatewayParts,
): Promise<void> {
  const file = await storage.open(entry.path);
  try {
    const { size, modifiedAt } = file.entry;
    if (size !== entry.size || modifiedAt !== entry.modifiedAt) throw fileChanged(entry.path);
    await sendFilePart(call, file, [from - start, to - start]);
  } finally {
    await file.close();
  }
}

/** Send the part of `bytes`, which begin at `start`, that lies in `part`. */
async function sendBytes(call: HttpCall, bytes: Uint8Array, start: number, part: ByteRange): Promise<void> {
  const cut = overlap([start, start + bytes.length], part);
  if (cut === undefined || call.isClosed) return;
  const piece = bytes.subarray(cut[0] - start, cut[1] - start);
  await call.paced(piece.length, call.connection.send(piece));
}

function overlap([from, to]: ByteRange, [first, last]: ByteRange): ByteRange | undefined {
  const [start, end] = [Math.max(from, first), Math.min(to, last)];
  return start < end ? [start, end] : undefined;
}

/** Files and folders below `path`, as the list has them. */
async function* entriesOf(
  call: HttpCall,
  path: string,
  { storage, clock }: GatewayParts,
  skipped: { count: number },
): AsyncGenerator<StorageEntry> {
  const yielder = new Yielder(clock);
  for await (const batch of storage.list(path, { enter: () => true, skipped })) {
    for (const entry of batch) {
      if (call.isClosed) return;
      if (entry.kind === "file" || entry.kind === "folder") yield entry;
      else skipped.count++;
    }
    if (yielder.isDue) await yielder.pause();
  }
}

function memberBytes(path: string, entry: StorageEntry): number {
  const bytes = entry.kind === "file" ? entry.size : 0;
  return tarHead(nameIn(path, entry), entry).length + bytes + tarPadding(bytes);
}

/** Everything lies below one folder of the archive, named like the requested one. */
function nameIn(path: string, entry: StorageEntry): string {
  return entry.path.slice(path.length - baseName(path).length);
}

function lineOf({ path, kind, size, modifiedAt, mode, etag }: StorageEntry): string {
  const ofFile = kind === "file" ? [size, modifiedAt, etag] : [];
  return `${JSON.stringify([path, kind, mode ?? null, ...ofFile])}\n`;
}
