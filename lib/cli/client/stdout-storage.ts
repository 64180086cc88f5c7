import type { Range } from "../../block.ts";
import { CommError, UsageError } from "../../errors.ts";
import type { ExistsPolicy, FileFacts, PartFile, Placement } from "../../storage/storage.ts";
import type { ConsoleIo } from "../console-io.ts";

/** Standard output as a place for files: in order, from the beginning, and never seen again. */
export class StdoutStorage {
  readonly #io: Pick<ConsoleIo, "out">;

  constructor(io: Pick<ConsoleIo, "out">) {
    this.#io = io;
  }

  async place(path: string): Promise<Placement> {
    return { outcome: "vacant", path };
  }

  async hasOwnName(): Promise<boolean> {
    return true;
  }

  async receive(path: string, facts: FileFacts, _exists: ExistsPolicy): Promise<PartFile> {
    return new StdoutPart(path, facts, this.#io);
  }

  async store(path: string, _facts: FileFacts, _exists: ExistsPolicy, bytes: Uint8Array): Promise<string> {
    await this.#io.out(new Uint8Array(bytes));
    return path;
  }

  async finishFolder(): Promise<void> {}

  async makeFolder(): Promise<boolean> {
    throw new UsageError("A folder can't go to standard output.");
  }
}

class StdoutPart implements PartFile {
  readonly path: string;
  readonly facts: FileFacts;
  readonly #io: Pick<ConsoleIo, "out">;
  /** Everything before it is written, or being written. */
  #next = 0;

  constructor(path: string, facts: FileFacts, io: Pick<ConsoleIo, "out">) {
    this.path = path;
    this.facts = facts;
    this.#io = io;
  }

  get missing(): readonly Range[] {
    return this.#next < this.facts.size ? [[this.#next, this.facts.size]] : [];
  }

  get present(): number {
    return this.#next;
  }

  /** What comes behind a damaged block is not taken: it will come again, in order. */
  async write(offset: number, bytes: Uint8Array): Promise<boolean> {
    if (offset !== this.#next) return false;
    this.#next += bytes.length;
    await this.#io.out(bytes);
    return true;
  }

  async commit(): Promise<string> {
    return this.path;
  }

  async keep(): Promise<void> {}

  async discard(): Promise<void> {
    // What was written can't be taken back.
    if (this.#next > 0) throw new CommError("CHANGED", "The file changed when a part of it was written already.");
  }
}
