import { mkdirSync } from "node:fs";
import { type Finished, runClient, ServerProcess } from "./processes.ts";
import { writeTree } from "./repository.ts";
import { TempFolder } from "./temp-folder.ts";

/** A writable compiled server with a repository, and a folder of the user beside it. */
export class TransferSite implements AsyncDisposable {
  readonly #folder = new TempFolder();
  readonly repository = this.#folder.join("repo");
  readonly here = this.#folder.join("here");
  #server!: ServerProcess;

  static async open(files: Record<string, string> = {}, args: string[] = ["--writable"]): Promise<TransferSite> {
    const site = new TransferSite();
    for (const folder of [site.repository, site.here]) mkdirSync(folder);
    writeTree(site.repository, files);
    site.#server = await ServerProcess.start(["-r", site.repository, ...args]);
    return site;
  }

  get server(): ServerProcess {
    return this.#server;
  }

  run(...args: string[]): Promise<Finished> {
    return runClient([...args, "-s", this.#server.address], { cwd: this.here });
  }

  /** Lines typed into the shell, which ends with them. */
  shell(...lines: string[]): Promise<Finished> {
    return runClient(["-s", this.#server.address], { cwd: this.here, stdin: `${lines.join("\n")}\n` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}
