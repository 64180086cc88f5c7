import { createHash } from "node:crypto";
import { baseName } from "../path.ts";
import { quote } from "../quote.ts";
import { list } from "../server/methods/list.ts";
import type { GatewayParts } from "../server/parts.ts";
import { LIST_NEED } from "../server/transfer-needs.ts";
import type { StorageEntry } from "../storage/storage.ts";
import { storageFault } from "../storage-faults.ts";
import { Yielder } from "../yielder.ts";
import type { ArchiveFormat } from "./archive-format.ts";
import type { ByteRange } from "./byte-ranges.ts";
import { type Checksums, RunningChecksum } from "./checksums.ts";
import { entityTag, isSettled, passingTag } from "./entity-tag.ts";
import { sendFilePart } from "./file-body.ts";
import { contentDisposition } from "./file-fields.ts";
import type { HttpCall } from "./http-call.ts";
import { answerWith } from "./representation.ts";
import { requireRate } from "./too-often.ts";

/** The parts that an archive uses. */
export interface ArchiveParts extends GatewayParts {
  readonly checksums: Checksums;
}

/** The result of a walk through the folder. */
interface Measured {
  readonly size: number;
  readonly state: string;
  readonly modifiedAt: number;
  readonly leftOut: number;
  /** Whether a change of any file in it would show. */
  readonly areSettled: boolean;
}

/** A folder, and the format of its archive. */
interface Archive {
  readonly call: HttpCall;
  readonly path: string;
  readonly format: ArchiveFormat;
  readonly server: ArchiveParts;
}

/**
 * Answer GET and HEAD for everything below a folder as an archive of exact length. The folder's list gives the position
 * of each byte, so any part can be sent by itself; for the bytes before it, only the list is read. The list is not
 * kept: it is walked once to measure, once more to send, and a third time for the directory of a zip.
 *
 * @throws StorageError as Storage.list(); StreamError CHANGED, TooOftenError
 */
export async function answerArchive(
  call: HttpCall,
  path: string,
  format: ArchiveFormat,
  server: ArchiveParts,
): Promise<void> {
  const { guest } = call;
  if (guest === undefined) return;
  requireRate(list, call, server);
  const archive: Archive = { call, path, format, server };
  let measured: Measured | undefined;
  await guest.member.lookups.run(call, LIST_NEED, async () => {
    measured = await measure(archive);
  });
  if (measured === undefined) return;
  const { size, state, modifiedAt, leftOut, areSettled } = measured;
  const { extension, type, version } = format;
  const representation = {
    name: quote(path),
    size,
    type,
    tag: (areSettled ? entityTag : passingTag)(`${extension.slice(1)}${version}-${state}`),
    modifiedAt,
    headers: {
      "content-disposition": contentDisposition(`${baseName(path) || "files"}${extension}`, type),
      ...(leftOut > 0 && { "x-left-out": `${leftOut}` }),
    },
    sendPart: (_: HttpCall, part: ByteRange) => sendArchivePart(archive, { part, size, state }),
  };
  await answerWith(call, representation, server.clock.wallTime());
}

async function measure(archive: Archive): Promise<Measured> {
  const { path, format, server } = archive;
  const digest = createHash("sha256");
  const skipped = { count: 0 };
  let [at, count, bytes, modifiedAt] = [0, 0, 0, 0];
  let areSettled = true;
  for await (const entry of entriesOf(archive, skipped)) {
    const name = nameIn(path, entry);
    bytes += format.record?.(name, entry, at, 0).length ?? 0;
    at += memberBytes(format, name, entry);
    count++;
    modifiedAt = Math.max(modifiedAt, entry.kind === "file" ? entry.modifiedAt : 0);
    areSettled &&= entry.kind !== "file" || isSettled(entry.modifiedAt, server.clock.wallTime());
    digest.update(lineOf(entry));
  }
  const size = at + bytes + format.end({ count, at, bytes }).length;
  return { size, state: digest.digest("base64url"), modifiedAt, leftOut: skipped.count, areSettled };
}

interface Wanted {
  readonly part: ByteRange;
  readonly size: number;
  readonly state: string;
}

/** @throws StorageError CHANGED when the folder has changed since it was measured */
async function sendArchivePart(archive: Archive, { part, size, state }: Wanted): Promise<void> {
  const { call, path, format } = archive;
  const [from, to] = part;
  const digest = createHash("sha256");
  let [at, count] = [0, 0];
  for await (const entry of entriesOf(archive, { count: 0 })) {
    digest.update(lineOf(entry));
    const head = format.head(nameIn(path, entry), entry);
    const tailAt = at + head.length + (entry.kind === "file" ? entry.size : 0);
    const end = tailAt + format.tailBytes(entry);
    if (end > from) {
      await sendBytes(call, head, at, part);
      const data = overlap([at + head.length, tailAt], part);
      if (data !== undefined) await sendMember(archive, entry, at + head.length, data);
      if (overlap([tailAt, end], part) !== undefined && !call.isClosed) {
        const checksum = format.hasChecksums ? await checksumOf(archive, entry) : 0;
        await sendBytes(call, format.tail(entry, checksum), tailAt, part);
      }
    }
    at = end;
    count++;
    if (at >= to || call.isClosed) return;
  }
  if (call.isClosed) return;
  // Only the last bytes tell the client that everything was as announced.
  if (digest.digest("base64url") !== state) throw storageFault.changed(path);
  const bytes = await sendDirectory(archive, at, { part, state });
  if (call.isClosed) return;
  const end = format.end({ count, at, bytes });
  if (at + bytes + end.length !== size) throw storageFault.changed(path);
  await sendBytes(call, end, at + bytes, part);
}

/** @throws StorageError as Checksums.of() */
function checksumOf({ call, server }: Archive, entry: StorageEntry): Promise<number> {
  return server.checksums.of(entry, server.storage, () => !call.isClosed);
}

/** Send the directory's bytes within `part`; it begins at `start`. @returns its length @throws StorageError CHANGED */
async function sendDirectory(
  archive: Archive,
  start: number,
  { part, state }: Pick<Wanted, "part" | "state">,
): Promise<number> {
  const { call, path, format } = archive;
  const { record } = format;
  if (record === undefined) return 0;
  const digest = createHash("sha256");
  let [at, bytes] = [0, 0];
  for await (const entry of entriesOf(archive, { count: 0 })) {
    digest.update(lineOf(entry));
    const name = nameIn(path, entry);
    const place = start + bytes;
    const { length } = record(name, entry, at, 0);
    if (overlap([place, place + length], part) !== undefined) {
      const checksum = await checksumOf(archive, entry);
      await sendBytes(call, record(name, entry, at, checksum), place, part);
    }
    bytes += length;
    at += memberBytes(format, name, entry);
  }
  if (!call.isClosed && digest.digest("base64url") !== state) throw storageFault.changed(path);
  return bytes;
}

/** Send the part of a file that lies in `data`, a part of the archive; the file begins at `start` of the archive. */
async function sendMember(
  { call, format, server }: Archive,
  entry: StorageEntry,
  start: number,
  [from, to]: ByteRange,
): Promise<void> {
  const { storage, checksums } = server;
  const file = await storage.open(entry.path);
  try {
    const { size, modifiedAt } = file.entry;
    if (size !== entry.size || modifiedAt !== entry.modifiedAt) throw storageFault.changed(entry.path);
    const isWhole = from === start && to === start + size;
    if (!format.hasChecksums || !isWhole) return await sendFilePart(call, file, [from - start, to - start]);
    // The whole file passes, so it need not be read again for its CRC.
    const running = new RunningChecksum();
    await sendFilePart(call, file, [from - start, to - start], (bytes) => running.update(bytes));
    if (!call.isClosed) checksums.note(entry, running.value);
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

/** Files and folders below `path`, in the order of the list. */
async function* entriesOf(
  { call, path, server: { storage, clock } }: Archive,
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

function memberBytes(format: ArchiveFormat, name: string, entry: StorageEntry): number {
  const bytes = entry.kind === "file" ? entry.size : 0;
  return format.head(name, entry).length + bytes + format.tailBytes(entry);
}

/** All entries are in one folder of the archive, named like the requested one. */
function nameIn(path: string, entry: StorageEntry): string {
  return entry.path.slice(path.length - baseName(path).length);
}

function lineOf({ path, kind, size, modifiedAt, mode, etag }: StorageEntry): string {
  const ofFile = kind === "file" ? [size, modifiedAt, etag] : [];
  return `${JSON.stringify([path, kind, mode ?? null, ...ofFile])}\n`;
}
