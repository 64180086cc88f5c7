import { mkdirSync } from "node:fs";
import { type Finished, runClient, ServerProcess } from "./processes.ts";
import { TempFolder } from "./temp-folder.ts";

/** A compiled server whose repository may be written to, and a user in a folder of their own. */
export class FolderSite implements AsyncDisposable {
  readonly #folder = new TempFolder();
  readonly repository = this.#folder.join("repo");
  readonly here = this.#folder.join("here");
  #server!: ServerProcess;

  static async open(): Promise<FolderSite> {
    const site = new FolderSite();
    mkdirSync(site.here);
    mkdirSync(site.repository);
    site.#server = await ServerProcess.start(["-r", site.repository, "--writable"]);
    return site;
  }

  /** Of the server. */
  get address(): string {
    return this.#server.address;
  }

  run(...args: string[]): Promise<Finished> {
    return runClient([...args, "-s", this.address], { cwd: this.here });
  }

  /** As run(), with this standard input. */
  feed(stdin: string, ...args: string[]): Promise<Finished> {
    return runClient([...args, "-s", this.address], { cwd: this.here, stdin });
  }

  /** Lines typed into the shell. */
  type(...lines: string[]): Promise<Finished> {
    return runClient(["-s", this.address], { cwd: this.here, stdin: `${[...lines, "exit"].join("\n")}\n` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}
