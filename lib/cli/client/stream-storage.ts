import type { Range } from "../../block.ts";
import { CommError } from "../../errors.ts";
import type { ExistsPolicy, FileFacts, PartFile, Placement } from "../../storage/storage.ts";
import type { OutputStream } from "./output-stream.ts";

/** Takes the bytes of files, one file after the other. */
export interface FileOutput {
  /** More bytes of the file at `path`, in order. Resolves when they were written. @throws as OutputStream.out() */
  add(path: string, facts: FileFacts, offset: number, bytes: Uint8Array): Promise<void>;
  addFolder(path: string, mode: number | undefined): Promise<void>;
}

/** The bytes of files alone. */
export function plainOutput(output: Pick<OutputStream, "out">): FileOutput {
  return { add: (_path, _facts, _offset, bytes) => output.out(bytes), addFolder: async () => {} };
}

/**
 * Standard output, a device or a pipe as a storage: files are written in order from the beginning, and never read back.
 */
export class StreamStorage {
  readonly #output: FileOutput;

  constructor(output: FileOutput) {
    this.#output = output;
  }

  async place(path: string): Promise<Placement> {
    return { outcome: "vacant", path };
  }

  async hasOwnName(): Promise<boolean> {
    return true;
  }

  async receive(path: string, facts: FileFacts, _exists: ExistsPolicy): Promise<PartFile> {
    return new StreamPart(path, facts, this.#output);
  }

  async store(path: string, facts: FileFacts, _exists: ExistsPolicy, bytes: Uint8Array): Promise<string> {
    await this.#output.add(path, facts, 0, new Uint8Array(bytes));
    return path;
  }

  async finishFolder(): Promise<void> {}

  /** A folder is never closed afterwards: nothing is written into it. */
  async makeFolder(path: string, mode?: number): Promise<boolean> {
    await this.#output.addFolder(path, mode);
    return false;
  }
}

class StreamPart implements PartFile {
  readonly path: string;
  readonly facts: FileFacts;
  readonly #output: FileOutput;
  /** The offset up to which bytes are written, or being written. */
  #next = 0;

  constructor(path: string, facts: FileFacts, output: FileOutput) {
    this.path = path;
    this.facts = facts;
    this.#output = output;
  }

  get missing(): readonly Range[] {
    return this.#next < this.facts.size ? [[this.#next, this.facts.size]] : [];
  }

  get present(): number {
    return this.#next;
  }

  /** Blocks after a damaged one are refused; the server sends them again, in order. */
  async write(offset: number, bytes: Uint8Array): Promise<boolean> {
    if (offset !== this.#next) return false;
    this.#next += bytes.length;
    await this.#output.add(this.path, this.facts, offset, bytes);
    return true;
  }

  async commit(): Promise<string> {
    return this.path;
  }

  async keep(): Promise<void> {}

  async discard(): Promise<void> {
    // Bytes that were written can't be taken back.
    if (this.#next > 0) throw new CommError("CHANGED", "The file changed after a part of it had been written.");
  }
}
