import { CommError } from "../../errors.ts";
import type { FileFacts } from "../../storage/storage.ts";
import { TAR_BLOCK, TAR_END_BYTES, tarHead, tarPadding } from "../../tar.ts";
import type { OutputStream } from "./output-stream.ts";
import type { FileOutput } from "./stream-storage.ts";

const NOTHING = new Uint8Array();

/**
 * Writes files and folders as a tar. Readers take a tar that ends between two members for complete. So the end of each
 * member is held back until it is known what follows: whatever ends the program, an unfinished tar ends within a member.
 */
export class TarOutput implements FileOutput {
  readonly #output: Pick<OutputStream, "out">;
  readonly #folderTime: (path: string) => number;
  #held: Uint8Array = NOTHING;
  #isWithinFile = false;

  /** `folderTime`: when a folder was modified, in milliseconds since 1970. */
  constructor(output: Pick<OutputStream, "out">, folderTime: (path: string) => number) {
    this.#output = output;
    this.#folderTime = folderTime;
  }

  /** Whether a file has begun, and lacks bytes. */
  get isWithinFile(): boolean {
    return this.#isWithinFile;
  }

  /** @throws CommError INCOMPLETE when the file before lacks bytes */
  async add(path: string, facts: FileFacts, offset: number, bytes: Uint8Array): Promise<void> {
    const { size } = facts;
    const head = offset === 0 ? tarHead(path, { ...facts, kind: "file" }) : NOTHING;
    if (offset === 0 && this.#isWithinFile) throw new CommError("INCOMPLETE", "The file before it is not complete.");
    if (size === 0) return this.#addEmpty(head);
    this.#isWithinFile = offset + bytes.length < size;
    if (this.#isWithinFile) return this.#write(head, bytes);
    const cut = Math.max(0, Math.floor((size - 1) / TAR_BLOCK) * TAR_BLOCK - offset);
    const end = new Uint8Array(bytes.length - cut + tarPadding(size));
    end.set(bytes.subarray(cut));
    const written = this.#write(head, bytes.subarray(0, cut));
    this.#held = end;
    return written;
  }

  addFolder(path: string, mode: number | undefined): Promise<void> {
    const facts = { kind: "folder", size: 0, modifiedAt: this.#folderTime(path), executable: true, mode };
    return this.#addEmpty(tarHead(path, facts));
  }

  /** All has been added. */
  end(): Promise<void> {
    return this.#write(new Uint8Array(TAR_END_BYTES));
  }

  /** Not all has been added: what is complete is followed by a member that is not. */
  async cut(): Promise<void> {
    if (this.#isWithinFile) return;
    await this.#addEmpty(tarHead("cut", { kind: "folder", size: 0, modifiedAt: 0, executable: false }));
  }

  /** A member without bytes; its head begins with that of its records. */
  #addEmpty(head: Uint8Array): Promise<void> {
    const written = this.#write(head.subarray(0, TAR_BLOCK));
    this.#held = head.subarray(TAR_BLOCK);
    return written;
  }

  /** Write what is held, and then this. Calls keep their order. */
  async #write(head: Uint8Array, bytes: Uint8Array = NOTHING): Promise<void> {
    // In one piece: a pipe takes a short one whole or not at all.
    const first = new Uint8Array(this.#held.length + head.length);
    first.set(this.#held);
    first.set(head, this.#held.length);
    this.#held = NOTHING;
    const pieces = [first, bytes].filter(({ length }) => length > 0);
    await Promise.all(pieces.map((piece) => this.#output.out(piece)));
  }
}
