import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { MODIFIED_AT, SENTINELS, SITE_FILES } from "../site-files.ts";

const OUTSIDE = "This file is outside, and nobody may touch it.\n";

/** A repository on the disk, with a file beside it that no peer may reach, and links that lead there. */
export class SocketFiles implements Disposable {
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), "commserver-fuzz-")));
  readonly root = join(this.#folder, "root");

  constructor() {
    mkdirSync(this.root);
    for (const [path, bytes] of Object.entries({ ...SITE_FILES, ...SENTINELS })) {
      const file = join(this.root, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, bytes);
      utimesSync(file, MODIFIED_AT / 1_000, MODIFIED_AT / 1_000);
    }
    writeFileSync(join(this.#folder, "outside.txt"), OUTSIDE);
    symlinkSync("..", join(this.root, "escape"));
    symlinkSync(".", join(this.root, "loop"));
  }

  /** Files of the repository that are not as they were. */
  changed(): string[] {
    const files = Object.entries({ ...SITE_FILES, ...SENTINELS });
    return files.flatMap(([path, bytes]) => (this.#isAsItWas(path, bytes) ? [] : [path]));
  }

  /** What is wrong outside of the repository. */
  outside(): string | undefined {
    const names = readdirSync(this.#folder).sort().join();
    if (names !== "outside.txt,root") return `beside the repository there is ${names}`;
    const text = readFileSync(join(this.#folder, "outside.txt"), "utf8");
    return text === OUTSIDE ? undefined : "the file outside has changed";
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #isAsItWas(path: string, bytes: Buffer): boolean {
    try {
      return readFileSync(join(this.root, path)).equals(bytes);
    } catch {
      return false;
    }
  }
}
