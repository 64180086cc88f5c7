import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MEMORY = "/dev/shm";
/** What must stay free beside the data, for the programs and for everybody else on the machine. */
const SPARE_BYTES = 3 * 1024 ** 3;

const open = new Set<string>();

process.on("exit", () => {
  for (const path of open) remove(path);
});

/** Why something is not measured, where that is no failure. */
export class Skipped extends Error {}

/**
 * The folders of one measurement: what the servers serve, where clients put what they fetch, and where the
 * programs keep their own files. Removed when it is disposed of, and when the benchmark ends before that.
 */
export class Workspace implements Disposable {
  readonly path: string;
  readonly inMemory: boolean;

  private constructor(parent: string) {
    this.path = realpathSync(mkdtempSync(join(parent, "commserver-bench-")));
    this.inMemory = parent === MEMORY;
    open.add(this.path);
    for (const folder of [this.served, this.inbox, this.target, this.home]) mkdirSync(folder, { recursive: true });
  }

  /** In memory when there is room for `bytes`, else as onDisk(). @throws Skipped without room */
  static create(bytes: number): Workspace {
    return hasRoomInMemory(bytes) ? new Workspace(MEMORY) : Workspace.onDisk(bytes);
  }

  /** In the folder for temporary files. @throws Skipped without room for `bytes` */
  static onDisk(bytes: number): Workspace {
    if (roomIn(tmpdir()) < bytes + SPARE_BYTES) {
      throw new Skipped(`there is no room for ${(bytes / 1e9).toFixed(1)} GB in ${tmpdir()}`);
    }
    return new Workspace(tmpdir());
  }

  /** What every server serves. */
  get served(): string {
    return join(this.path, "served");
  }

  /** Where clients send to; inside of `served`. */
  get inbox(): string {
    return join(this.served, "inbox");
  }

  /** Where clients store what they fetch. */
  get target(): string {
    return join(this.path, "target");
  }

  /** For the programs' own files: logs, and what they look for in a person's home. */
  get home(): string {
    return join(this.path, "home");
  }

  /** A new folder for the settings, keys and states of one program. */
  newHome(name: string): string {
    return mkdtempSync(join(this.home, `${name}-`));
  }

  /** Make a folder new and empty. */
  empty(folder: string): void {
    remove(folder);
    mkdirSync(folder);
  }

  [Symbol.dispose](): void {
    remove(this.path);
    open.delete(this.path);
  }
}

function hasRoomInMemory(bytes: number): boolean {
  if (!existsSync(MEMORY)) return false;
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  return Math.min(roomIn(MEMORY), Number(available) * 1024) >= bytes + SPARE_BYTES;
}

function roomIn(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
