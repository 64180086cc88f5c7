import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

export const TROUBLES = ["away", "read-only", "full"] as const;
export type Trouble = (typeof TROUBLES)[number];

const PIECE = new Uint8Array(256 * 1024);

/** A small disk that can be pulled out, turn read-only and fill up, and is all right again afterwards. Needs root. */
export class FickleDisk implements Disposable {
  /** Where it is mounted. While it is away an empty folder is there, in which nobody can write. */
  readonly path: string;
  readonly #medium: string;

  /** Both folders are made. `medium`: where its content is, whether it is plugged in or not. @throws when it can't be mounted */
  constructor(path: string, medium: string, bytes: number) {
    this.path = path;
    this.#medium = medium;
    for (const folder of [path, medium]) mkdirSync(folder, { recursive: true });
    mount("-t", "tmpfs", "-o", "ro,size=4k", "tmpfs", path);
    mount("-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", medium);
    mkdirSync(this.#files);
    this.#plug();
  }

  get #files(): string {
    return join(this.#medium, "files");
  }

  /** @returns what ends the trouble */
  begin(trouble: Trouble): () => void {
    switch (trouble) {
      case "away":
        unmount(this.path);
        return () => this.#plug();
      case "read-only":
        return this.#lock();
      case "full":
        return this.#fill();
    }
  }

  [Symbol.dispose](): void {
    for (const place of [this.path, this.path, this.#medium]) unmount(place);
  }

  #plug(): void {
    mount("--bind", this.#files, this.path);
  }

  /** While somebody writes there, the system keeps it as it is: then there is no trouble this time. */
  #lock(): () => void {
    try {
      mount("-o", "remount,bind,ro", this.path);
    } catch (error) {
      if (`${error}`.includes("busy")) return () => {};
      throw error;
    }
    return () => mount("-o", "remount,bind,rw", this.path);
  }

  #fill(): () => void {
    const filler = join(this.#medium, "filler");
    const fd = openSync(filler, "w");
    try {
      for (;;) writeSync(fd, PIECE);
    } catch {
      // That was the last byte.
    }
    closeSync(fd);
    return () => rmSync(filler);
  }
}

/** Why there can be none here; undefined where there can. */
export function missingDisk(): string | undefined {
  return process.platform === "linux" && process.getuid?.() === 0 ? undefined : "only Linux's root may mount";
}

function mount(...args: string[]): void {
  const { success, stderr } = Bun.spawnSync(["mount", ...args]);
  if (!success) throw new Error(`mount ${args.join(" ")}: ${stderr}`);
}

function unmount(path: string): void {
  Bun.spawnSync(["umount", "-l", path]);
}
