import { BLOCK_BYTES, type Range } from "../block.ts";
import { ProtocolError } from "../errors.ts";
import type { Outcome, PutFile } from "../protocol/methods.ts";
import { quote } from "../quote.ts";
import type { ExistsPolicy, FileFacts, OpenFile } from "../storage/storage.ts";
import type { UploadItem } from "./transfer.ts";

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
): Omit<PutFile, "holes"> & Pick<FileFacts, "holes"> {
  const { size, modifiedAt, executable, mode, etag } = entry;
  const facts = { path: item.to, exists, size, modifiedAt, executable, mode, etag };
  return holes.length > 0 ? { ...facts, holes } : facts;
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
