import { open } from "node:fs/promises";
import { readError } from "../../storage/disk-error.ts";
import { storageFault } from "../../storage-faults.ts";
import { unlessAborted } from "../unless-aborted.ts";
import { UsageError } from "../usage-error.ts";

/** No name and no line of digests is that long. */
const MAX_ITEM_LENGTH = 64 * 1024;
const PIECE_BYTES = 64 * 1024;

/**
 * The lines of a file, or what NUL characters end in it, as they are read; `-` is standard input. Empty ones are left
 * out, and so is the carriage return of Windows at the end of a line.
 *
 * @returns those of a piece together
 * @throws StorageError as readTextFile(); UsageError for a file that is no list; CommError INTERRUPTED when `signal`
 * aborts
 */
export async function* givenItems(
  file: string,
  { isNul = false, signal }: { isNul?: boolean; signal: AbortSignal },
): AsyncGenerator<string[], void> {
  const decoder = new TextDecoder();
  const separator = isNul ? "\0" : /\r?\n/;
  let rest = "";
  for await (const piece of givenPieces(file, signal)) {
    const items = (rest + decoder.decode(piece, { stream: true })).split(separator);
    rest = items.pop() ?? "";
    if (rest.length > MAX_ITEM_LENGTH) throw new UsageError(`${file} is no list: a line in it has no end.`);
    yield items.filter((item) => item !== "");
  }
  rest += decoder.decode();
  if (!isNul) rest = rest.replace(/\r$/, "");
  if (rest !== "") yield [rest];
}

/**
 * The bytes of a file as they are read; `-` is standard input.
 *
 * @throws StorageError as readTextFile(); CommError INTERRUPTED when `signal` aborts
 */
export function givenPieces(file: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  return file === "-" ? inputPieces(signal) : filePieces(file, signal);
}

/** @throws StorageError DISK_FAILED; CommError INTERRUPTED */
async function* inputPieces(signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const pieces = Bun.stdin.stream()[Symbol.asyncIterator]();
  for (;;) {
    const piece = await unlessAborted(pieces.next(), signal).catch((cause) => {
      throw signal.aborted ? cause : storageFault.inputFailed(cause);
    });
    if (piece.done) return;
    yield piece.value;
  }
}

/** @throws as readTextFile(); CommError INTERRUPTED */
async function* filePieces(file: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const inWords = (cause: unknown) => {
    throw signal.aborted ? cause : readError(cause, file, "user");
  };
  const opening = open(file);
  try {
    const opened = await unlessAborted(opening, signal).catch(inWords);
    for (;;) {
      const reading = opened.read(new Uint8Array(PIECE_BYTES), 0, PIECE_BYTES);
      const { bytesRead, buffer } = await unlessAborted(reading, signal).catch(inWords);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    // A pipe may let go much later, or never.
    const closing = opening.then(
      (opened) => opened.close(),
      () => {},
    );
    if (!signal.aborted) await closing;
  }
}
