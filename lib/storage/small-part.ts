import fs from "node:fs";
import type { Range } from "../block.ts";
import { quote } from "../path.ts";
import type { OpenFolder } from "./open-folder.ts";
import { finishFile, writeFullySync, writing } from "./part-file.ts";
import { uniquePartName } from "./part-names.ts";
import { publish } from "./publish.ts";
import type { ExistsPolicy, FileFacts, PartFile } from "./storage.ts";

const CREATE = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL;

export interface PartOptions {
  /** Belongs to the part, which releases it. */
  readonly folder: OpenFolder;
  readonly name: string;
  /** Of the file, for messages and for its user. */
  readonly path: string;
  readonly facts: FileFacts;
  readonly exists: ExistsPolicy;
}

/** A file of one block or none: it comes whole or not at all, and is never resumed. */
export class SmallPart implements PartFile {
  readonly #options: PartOptions;
  readonly #part: string;
  #fd: number | undefined;
  #isHere: boolean;
  #isMade = false;
  /** It has its name, or is gone. */
  #ended = false;
  #released = false;

  constructor(options: PartOptions) {
    this.#options = options;
    this.#part = uniquePartName(options.name);
    this.#isHere = options.facts.size === 0;
  }

  get path(): string {
    return this.#options.path;
  }

  get facts(): FileFacts {
    return this.#options.facts;
  }

  get missing(): readonly Range[] {
    return this.#isHere ? [] : [[0, this.facts.size]];
  }

  get present(): number {
    return this.#isHere ? this.facts.size : 0;
  }

  write(_offset: number, bytes: Uint8Array): Promise<boolean> {
    return writing(quote(this.path), () => {
      if (this.#isHere) return false;
      writeFullySync(this.#open(), bytes, 0);
      this.#isHere = true;
      return true;
    });
  }

  async commit(): Promise<string> {
    const { folder, name, exists, facts } = this.#options;
    try {
      return await writing(quote(this.path), async () => {
        const fd = this.#open();
        await finishFile(fd, facts);
        this.#close();
        const published = publish(folder, this.#part, name, exists);
        this.#ended = true;
        await folder.sync();
        return this.path.slice(0, this.path.length - name.length) + published;
      });
    } finally {
      await this.discard();
    }
  }

  keep(): Promise<void> {
    return this.discard();
  }

  async discard(): Promise<void> {
    const { folder } = this.#options;
    this.#close();
    if (!this.#ended && this.#isMade) fs.rmSync(folder.at(this.#part), { force: true });
    if (!this.#released) folder.release();
    this.#released = true;
    this.#ended = true;
  }

  #open(): number {
    if (this.#fd === undefined) {
      this.#fd = fs.openSync(this.#options.folder.at(this.#part), CREATE, 0o666);
      this.#isMade = true;
    }
    return this.#fd;
  }

  #close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }
}
