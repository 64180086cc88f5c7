import type { OpenFile } from "../storage/storage.ts";
import { storageFault } from "../storage-faults.ts";
import type { ByteRange } from "./byte-ranges.ts";
import type { HttpCall } from "./http-call.ts";

/** Bytes that are read and sent at once if they pass through this process. */
const PIECE_BYTES = 256 * 1024;

/**
 * Bytes that are sent at once if the system sends them itself: so few that a slow peer takes them before it counts as one
 * that takes nothing.
 */
const DIRECT_BYTES = 1024 * 1024;

/**
 * The last bytes are read, not sent by the system, so that the file is checked after everything before them has left.
 */
const LAST_BYTES = 64 * 1024;

/** The memory that a file's body takes. */
export const BODY_NEED = { least: PIECE_BYTES, most: PIECE_BYTES };

/**
 * Send a part of an open file as part of a body. It breaks off when the file changes: old and new bytes must not be
 * mixed in one file. `onBytes` gets all bytes; with it, the system can't send them itself.
 *
 * @throws StorageError as OpenFile.read()
 */
export async function sendFilePart(
  call: HttpCall,
  file: OpenFile,
  [from, to]: ByteRange,
  onBytes?: (bytes: Uint8Array) => void,
): Promise<void> {
  const { connection } = call;
  const limit = call.guest?.session.rateLimit?.frameBytes ?? Number.POSITIVE_INFINITY;
  const isDirect = onBytes === undefined && connection.canSendFiles && file.source(from, to - from) !== undefined;
  const step = Math.min(limit, isDirect ? DIRECT_BYTES : PIECE_BYTES);
  const buffer = new Uint8Array(Math.min(step, isDirect ? LAST_BYTES : PIECE_BYTES, Math.max(0, to - from)));
  for (let at = from; at < to && !call.isClosed; ) {
    const direct = isDirect ? Math.min(step, to - at - LAST_BYTES) : 0;
    const source = direct > 0 ? file.source(at, direct) : undefined;
    if (source !== undefined) {
      await file.check();
      await call.paced(direct, connection.sendFile({ ...source, release: source.retain() }));
      at += direct;
      continue;
    }
    const piece = buffer.subarray(0, Math.min(buffer.length, to - at));
    const bytes = await file.read(piece, at);
    if (bytes === 0) throw storageFault.changed(file.entry.path);
    if (call.isClosed) return;
    onBytes?.(piece.subarray(0, bytes));
    await call.paced(bytes, connection.send(piece.subarray(0, bytes)));
    at += bytes;
  }
}
