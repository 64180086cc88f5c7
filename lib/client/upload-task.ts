import { BLOCK_BYTES, PIECES_PER_BLOCK, type Range } from "../block.ts";
import { ProtocolError } from "../errors.ts";
import { decodeBase64 } from "../protocol/base64.ts";
import type { Outcome, PutAnswer, PutFile } from "../protocol/methods.ts";
import { MAX_OFFERED_BLOCKS, PIECE_DIGEST_BYTES } from "../protocol/patch.ts";
import { quote } from "../quote.ts";
import type { ExistsPolicy, FileFacts, OpenFile } from "../storage/storage.ts";
import type { GrowingFile } from "../transfer/growing-file.ts";
import type { PieceOffer } from "../transfer/patch-sender.ts";
import type { UploadItem } from "./transfer.ts";

/** Twice what a server may offer ahead: a block may have arrived there before we know that it was sent. */
const MAX_OWED_BLOCKS = 4 * MAX_OFFERED_BLOCKS;

type OfferedPieces = Extract<PutAnswer, { state: "pieces" }>;

/** The transfer of one file, over as many links as it takes. */
export interface UploadTask {
  /** Its number in the stream, given when it is offered. */
  id: number;
  readonly item: UploadItem;
  file: OpenFile | undefined;
  /** Its size when it was offered, in bytes. */
  size: number;
  /** True when the requested parts were sent at least once. */
  isSealed: boolean;
  /** Holes of the offered file, which are not sent. */
  holes: readonly Range[];
  /** The state of the file that was offered. */
  etag: string | undefined;
  /** What was read of the file for the blocks of the server's offers; undefined after its SEAL. */
  watched: GrowingFile | undefined;
  /** The server may offer pieces of the blocks from here on; undefined: it may not. */
  offersFrom: number | undefined;
  /** Blocks whose pieces were offered, and that were not sent yet. */
  owed: number;
  /** True when the next step is ours, and the server owes no answer. */
  isOurs: boolean;
  /** Bytes that it takes of the window. */
  weight: number;
  restarts: number;
  busy: number;
  /** How often the server put it off because it had too many files open. */
  overloads: number;
  /** How often the server requested parts of it over this link. */
  rounds: number;
}

export function newTask(item: UploadItem): UploadTask {
  return {
    id: -1,
    item,
    file: undefined,
    size: item.size,
    isSealed: false,
    holes: [],
    etag: undefined,
    watched: undefined,
    offersFrom: undefined,
    owed: 0,
    isOurs: true,
    weight: 0,
    restarts: 0,
    busy: 0,
    overloads: 0,
    rounds: 0,
  };
}

/** The payload of FILE. */
export function offerOf(
  item: UploadItem,
  entry: FileFacts,
  exists: ExistsPolicy,
  holes: readonly Range[] = [],
  older?: string,
): Omit<PutFile, "holes"> & Pick<FileFacts, "holes"> {
  const { size, modifiedAt, executable, mode, etag } = entry;
  const facts = { path: item.to, exists, size, modifiedAt, executable, mode, etag };
  return { ...facts, ...(holes.length > 0 && { holes }), ...(older !== undefined && { older }) };
}

/**
 * The blocks that the server offers pieces of, as parts of the file. Only what was asked for, in order, and not too
 * much at once.
 *
 * @throws ProtocolError BAD_PAYLOAD
 */
export function takeOffer(task: UploadTask, { offset, key, pieces }: OfferedPieces): PieceOffer {
  const { size, offersFrom } = task;
  const digests = decodeBase64(pieces, "An offer");
  const blocks = Math.ceil(digests.length / (PIECES_PER_BLOCK * PIECE_DIGEST_BYTES));
  const last = offset + (blocks - 1) * BLOCK_BYTES;
  const isDue = offersFrom !== undefined && offset >= offersFrom && offset % BLOCK_BYTES === 0;
  task.owed += blocks;
  if (!isDue || blocks === 0 || last >= size || task.owed > MAX_OWED_BLOCKS) {
    throw new ProtocolError("BAD_PAYLOAD", `The server offers pieces of ${quote(task.item.from)} that are not wanted.`);
  }
  const to = Math.min(size, last + BLOCK_BYTES);
  task.offersFrom = to;
  return { from: offset, to, digests, key: decodeBase64(key, "A key") };
}

/** Requested ranges must be parts of the file, in whole blocks. @throws ProtocolError BAD_PAYLOAD */
export function checkRanges(task: UploadTask, ranges: readonly Range[]): void {
  const { size } = task;
  let before = 0;
  for (const [from, to] of ranges) {
    const isWhole = from % BLOCK_BYTES === 0 && (to % BLOCK_BYTES === 0 || to === size);
    if (!isWhole || from < before || to <= from || to > size) {
      throw new ProtocolError(
        "BAD_PAYLOAD",
        `The server requests parts of ${quote(task.item.from)} that do not exist.`,
      );
    }
    before = to;
  }
}

/** A server can't have stored what was not sent. @throws ProtocolError BAD_PAYLOAD */
export function checkStored(task: UploadTask, outcome: Outcome): void {
  if (outcome !== "stored" || task.isSealed || task.item.kind === "folder") return;
  const what = quote(task.item.from);
  throw new ProtocolError("BAD_PAYLOAD", `The server says that it has stored ${what}, which was not sent yet.`);
}
