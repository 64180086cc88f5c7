import { beforeAll } from "bun:test";
import { binaries } from "../support/binaries.ts";
import type { ServerProcess } from "../support/processes.ts";
import type { TempFolder } from "../support/temp-folder.ts";
import { LineProcess, peer, runPeer } from "./peer.ts";

/** A server of either kind, and a folder that lives as long as it. */
export class Site<Server extends AsyncDisposable> implements AsyncDisposable {
  readonly folder: TempFolder;
  readonly server: Server;

  constructor(folder: TempFolder, server: Server) {
    this.folder = folder;
    this.server = server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

/** A compiled server, for Python clients that run in the folder. */
export class CompiledSite extends Site<ServerProcess> {
  /** Options first, then the address, then lines of commands. */
  run(options: string[], lines: string[]) {
    return runPeer([...options, this.server.address], lines, this.folder.path);
  }

  /** A client that stays. */
  peer(...options: string[]): LineProcess {
    return new LineProcess(peer("client", ...options, this.server.address), this.folder.path);
  }
}

/** The programs are built before the first test, and not in its time. */
export function buildFirst(): void {
  beforeAll(async () => {
    await binaries();
  }, 120_000);
}
