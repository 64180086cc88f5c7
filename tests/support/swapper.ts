import { dlopen } from "bun:ffi";

/** In a process of its own, exchange two names as fast as it can, so that at any time each is one or the other. */
const SWAPPER = `
  const { dlopen, ptr } = require("bun:ffi");
  const EXCHANGE = 2, HERE = -100;
  const { renameat2 } = dlopen(process.argv[1], {
    renameat2: { args: ["i32", "ptr", "i32", "ptr", "u32"], returns: "i32" },
  }).symbols;
  process.chdir(process.argv[2]);
  const [one, other] = process.argv.slice(3).map((name) => Buffer.from(name + "\\0"));
  // Bounded, since a killed run leaves it behind.
  for (const end = Date.now() + 120_000; Date.now() < end; ) if (renameat2(HERE, ptr(one), HERE, ptr(other), EXCHANGE) !== 0) throw new Error("no exchange");
`;

/** The system's library with renameat2(2); undefined if there is none. */
const libc = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"].find((library) => {
  try {
    dlopen(library, { renameat2: { args: [], returns: "i32" } }).close();
    return process.platform === "linux";
  } catch {
    return false;
  }
});

export const canSwap = libc !== undefined;

/**
 * Exchanges `one` and `other` in `folder` all the time, until it is disposed of. `check()` throws if that has failed.
 */
export class Swapper implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;

  constructor(folder: string, one: string, other: string) {
    const command = [process.execPath, "-e", SWAPPER, libc ?? "", folder, one, other];
    this.#child = Bun.spawn(command, { stderr: "pipe" });
  }

  async check(): Promise<void> {
    if (this.#child.exitCode !== null) throw new Error(await new Response(this.#child.stderr).text());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}
