import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MEMORY = "/dev/shm";
/** Space that must stay free besides the data, for the programs and for everything else on the machine. */
const SPARE_BYTES = 3 * 1024 ** 3;

const open = new Set<string>();

process.on("exit", () => {
  for (const path of open) remove(path);
});

/** Something is not measured, for a reason that is not a failure. */
export class Skipped extends Error {}

/**
 * The folders of one measurement: those of the servers, of the clients, and of the programs' own files. Removed when it
 * is disposed of, and when the benchmark ends before that.
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

  /** In memory if there is room for `bytes`, otherwise as onDisk(). @throws Skipped without room */
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

  /** The folder that every server serves. */
  get served(): string {
    return join(this.path, "served");
  }

  /** The folder that clients send to, inside `served`. */
  get inbox(): string {
    return join(this.served, "inbox");
  }

  /** The folder that clients fetch into. */
  get target(): string {
    return join(this.path, "target");
  }

  /** For the programs' own files: logs, and what they look for in a user's home. */
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
