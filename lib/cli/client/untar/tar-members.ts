import { type Extract, extract, type Header } from "tar-stream";
import { CommError } from "../../../errors.ts";
import { quote } from "../../../quote.ts";
import { TAR_END_BYTES, tarPadding } from "../../../tar.ts";

/** What a tar says of a member besides its bytes. */
export interface TarMemberHead {
  /** As it is written in the tar. */
  readonly name: string;
  readonly type: "file" | "folder" | "hard link" | "link" | "other";
  /** In bytes. */
  readonly size: number;
  /** Milliseconds since 1970, never before. */
  readonly modifiedAt: number;
  /** The permissions. */
  readonly mode: number;
  /** Where a link leads; "" for anything else. */
  readonly target: string;
  /** Its bytes are not those of the file, but have a map of its holes among them. */
  readonly isSparse: boolean;
  /** Where its bytes begin in the tar. */
  readonly offset: number;
}

export interface TarMember extends TarMemberHead {
  /** Read them once, before the next member is asked for, or leave them. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Members that are there in the types of POSIX. */
const TYPES: Readonly<Record<string, TarMemberHead["type"]>> = {
  file: "file",
  "contiguous-file": "file",
  directory: "folder",
  link: "hard link",
  symlink: "link",
  "character-device": "other",
  "block-device": "other",
  fifo: "other",
};

/** The beginnings of compressed files, and what uncompresses them. */
const COMPRESSED: readonly (readonly [name: string, command: string, begins: readonly number[]])[] = [
  ["gzip", "gunzip", [0x1f, 0x8b]],
  ["zstd", "zstd --decompress", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", "xz --decompress", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", "bunzip2", [0x42, 0x5a, 0x68]],
];

/** The longest of these beginnings. */
const MARK_BYTES = 6;

/** What tar-stream says of a member, with what its types leave out. */
interface Head extends Omit<Header, "type" | "pax"> {
  /** null: POSIX does not know it. */
  readonly type: string | null;
  readonly pax: Readonly<Record<string, string>> | null;
  /** Where its bytes begin. */
  readonly byteOffset: number;
}

/**
 * The members of a tar, which is read as it comes. The tar must have its end: without it nobody knows whether that was
 * all.
 *
 * @throws CommError MALFORMED when it is no tar, damaged or compressed; INCOMPLETE when it ends too early, or has a member
 * whose length is known to no standard; as `chunks`
 */
export async function* tarMembers(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember, void> {
  // Tars of before POSIX have no mark; the sum of each head is checked all the same.
  const options: object = { allowUnknownFormat: true };
  const tar = extract(options);
  const input = new TarInput(chunks);
  void feed(input, tar);
  /** Where the last member ends, and what it is called. */
  let [end, last] = [0, ""];
  const inWords = (thrown: unknown) => {
    if (input.failure !== undefined) return input.failure;
    if (thrown instanceof CommError) return thrown;
    return input.hasEnded ? tooShort(last) : damaged(last, thrown);
  };
  try {
    for await (const entry of tar) {
      const head = headOf(entry.header as unknown as Head);
      if (head === undefined) throw oddMember(entry.header.name);
      [end, last] = [head.offset + head.size + tarPadding(head.size), head.name];
      yield { ...head, bytes: bytesOf(entry, inWords) };
      entry.resume();
    }
  } catch (thrown) {
    throw inWords(thrown);
  } finally {
    tar.destroy(null);
  }
  // A tar that is cut between two members looks like a whole one, but for the empty blocks at its end.
  const rest = input.length - end;
  if (rest < TAR_END_BYTES || input.zeros < rest) throw tooShort(last);
}

/** @throws what `inWords` makes of an error */
async function* bytesOf(
  source: AsyncIterable<unknown>,
  inWords: (thrown: unknown) => unknown,
): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const piece of source) yield piece as Uint8Array;
  } catch (thrown) {
    throw inWords(thrown);
  }
}

/** The bytes of a tar on their way to its reader. */
class TarInput implements AsyncIterable<Uint8Array> {
  readonly #chunks: AsyncIterable<Uint8Array>;
  /** Bytes so far, and the zeros that they end with. */
  length = 0;
  zeros = 0;
  hasEnded = false;
  /** Why no more bytes come. */
  failure: unknown;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks;
  }

  /** @throws CommError MALFORMED; as the chunks */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    let first: Uint8Array = new Uint8Array();
    try {
      for await (const chunk of this.#chunks) {
        if (first.length < MARK_BYTES) {
          first = Buffer.concat([first, chunk.subarray(0, MARK_BYTES)]);
          refuseCompressed(first);
        }
        this.length += chunk.length;
        const zeros = trailingZeros(chunk);
        this.zeros = zeros === chunk.length ? this.zeros + zeros : zeros;
        yield chunk;
      }
      this.hasEnded = true;
    } catch (thrown) {
      this.failure = thrown;
      throw thrown;
    }
  }
}

function trailingZeros(bytes: Uint8Array): number {
  let at = bytes.length;
  while (at > 0 && bytes[at - 1] === 0) at--;
  return bytes.length - at;
}

/** @throws CommError MALFORMED */
function refuseCompressed(first: Uint8Array): void {
  for (const [name, command, begins] of COMPRESSED) {
    if (first.length < begins.length || !begins.every((byte, index) => first[index] === byte)) continue;
    throw new CommError("MALFORMED", `The tar is compressed (${name}): ${command} < FILE | … put --untar -`);
  }
}

/** Write all bytes into the reader, as it takes them. Never rejects: the reader reports what fails. */
async function feed(input: TarInput, tar: Extract): Promise<void> {
  try {
    for await (const chunk of input) {
      if (tar.destroyed) return;
      if (!tar.write(chunk)) await taken(tar);
    }
    tar.end(null);
  } catch (thrown) {
    tar.destroy(thrown as Error);
  }
}

/** Resolves when the reader takes more, or nothing more. */
async function taken(tar: Extract): Promise<void> {
  if (tar.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  tar.once("drain", resolve);
  tar.once("close", resolve);
  await promise;
  tar.off("drain", resolve);
  tar.off("close", resolve);
}

/** @returns undefined for a kind of member that POSIX does not know */
function headOf(header: Head): TarMemberHead | undefined {
  const { name, type, size, mode, mtime, linkname, pax, byteOffset } = header;
  const known = type === null ? undefined : TYPES[type];
  if (known === undefined) return undefined;
  return {
    name,
    type: known === "file" && name.endsWith("/") ? "folder" : known,
    size: type === "directory" ? 0 : size,
    modifiedAt: timeOf(pax?.["mtime"], mtime),
    mode: mode & 0o777,
    target: linkname ?? "",
    isSparse: Object.keys(pax ?? {}).some((key) => key.startsWith("GNU.sparse.")),
    offset: byteOffset,
  };
}

/** A time of pax, or else the one of the head, in milliseconds; 0 when it is none, or before 1970. */
function timeOf(text: string | undefined, mtime: Date): number {
  const [, sign, seconds, fraction = ""] = /^(-?)(\d{1,12})(?:\.(\d*))?$/.exec(text ?? "") ?? [];
  const atHead = mtime.getTime();
  if (seconds === undefined) return Number.isSafeInteger(atHead) ? Math.max(0, atHead) : 0;
  const milliseconds = Number(seconds) * 1000 + Number(fraction.slice(0, 3).padEnd(3, "0"));
  return sign === "-" ? 0 : milliseconds;
}

/** Where a tar went wrong. */
function after(last: string): string {
  return last === "" ? "" : ` after ${quote(last)}`;
}

function tooShort(last: string): CommError {
  return new CommError("INCOMPLETE", `The tar ends too early${after(last)}: its end is missing.`);
}

function damaged(last: string, cause: unknown): CommError {
  return new CommError("MALFORMED", last === "" ? "This is not a tar." : `The tar is damaged${after(last)}.`, {
    cause,
  });
}

function oddMember(name: string): CommError {
  const words = "is of a kind that only GNU tar reads, such as a sparse file: make the tar with --format=posix";
  return new CommError("INCOMPLETE", `${quote(name)} ${words}, without --sparse.`);
}
