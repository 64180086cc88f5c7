import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { neverBlock } from "../../../lib/cli/terminal/patient-tty.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

const MIB = 1024 * 1024;

/**
 * A pipe, which takes 64 KiB while nobody reads it, in the place of a terminal that nobody reads. One for all tests: a
 * process has one writer for each terminal, and all pipes count as the same one.
 */
class UnreadTerminal implements Disposable {
  readonly #folder = new TempFolder();
  readonly #reader: number;
  readonly #fd: number;
  readonly stream: NodeJS.WriteStream & { fd: number };
  /** What the terminal itself was asked to write, which would block. */
  readonly blocking: unknown[] = [];

  constructor({ isTTY = true } = {}) {
    const pipe = this.#folder.join("terminal");
    Bun.spawnSync(["mkfifo", pipe]);
    this.#reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#fd = openSync(pipe, constants.O_WRONLY);
    const write = (data: unknown) => {
      this.blocking.push(data);
      return true;
    };
    this.stream = { fd: this.#fd, isTTY, write } as unknown as NodeJS.WriteStream & { fd: number };
    neverBlock(this.stream);
  }

  /** What the terminal has taken; "" when there is nothing now. */
  read(): string {
    const bytes = new Uint8Array(256 * 1024);
    try {
      return Buffer.from(bytes.subarray(0, readSync(this.#reader, bytes))).toString();
    } catch {
      return ""; // EAGAIN
    }
  }

  /** What comes until `length` characters have come. */
  async readAll(length: number): Promise<string> {
    let text = "";
    await until(() => {
      text += this.read();
      return text.length >= length;
    });
    return text;
  }

  [Symbol.dispose](): void {
    closeSync(this.#reader);
    closeSync(this.#fd);
    this.#folder[Symbol.dispose]();
  }
}

describe.skipIf(process.platform !== "linux")("a terminal that nobody reads", () => {
  let terminal: UnreadTerminal;

  beforeAll(() => {
    terminal = new UnreadTerminal();
  });

  afterAll(() => {
    terminal[Symbol.dispose]();
  });

  const written = (data: string | Uint8Array) =>
    new Promise<Error | null | undefined>((resolve) => void terminal.stream.write(data, resolve));

  test("blocks no writer, and has all in its order when it is read again", async () => {
    const lines = Array.from({ length: 300 }, (_, index) => `${String(index).padStart(999, ".")}\n`);
    const taken = lines.map(written);
    let isTaken = false;
    void taken.at(-1)?.then(() => {
      isTaken = true;
    });
    await taken[0];
    expect(isTaken).toBe(false);
    expect(await terminal.readAll(300_000)).toBe(lines.join(""));
    expect(await Promise.all(taken)).toEqual(lines.map(() => null));
    expect(terminal.blocking).toEqual([]);
  });

  test("takes bytes as well as text, with or without an encoding", async () => {
    terminal.stream.write("ä");
    const done = Promise.withResolvers<unknown>();
    terminal.stream.write("b", "utf8", done.resolve);
    expect(await done.promise).toBeNull();
    expect(await written(Buffer.from("c"))).toBeNull();
    expect(await written("")).toBeNull();
    expect(terminal.read()).toBe("äbc");
  });

  test("loses what its writers do not wait for, from one MiB on, but nothing that somebody waits for", async () => {
    const piece = "x".repeat(64 * 1024);
    // The pipe takes one, and 17 wait: just more than a MiB.
    for (let index = 0; index < 18; index++) terminal.stream.write(piece);
    for (let index = 0; index < 50; index++) terminal.stream.write("lost");
    const last = written("kept");
    expect(await terminal.readAll(18 * piece.length + 4)).toBe(`${"x".repeat(18 * 64 * 1024)}kept`);
    await last;
    expect(18 * piece.length).toBeGreaterThan(MIB);
    // There is room again.
    terminal.stream.write("more");
    expect(await terminal.readAll(4)).toBe("more");
  });

  test("is written to by all its streams in the order of their calls", async () => {
    const other = { ...terminal.stream } as NodeJS.WriteStream & { fd: number };
    neverBlock(other);
    const piece = "x".repeat(100_000);
    terminal.stream.write(piece);
    other.write("b");
    terminal.stream.write("c");
    expect(await terminal.readAll(piece.length + 2)).toEndWith("xbc");
  });
});

test.skipIf(process.platform === "win32")("what is no terminal is written as ever", () => {
  using pipe = new UnreadTerminal({ isTTY: false });
  pipe.stream.write("a");
  expect(pipe.blocking).toEqual(["a"]);
});
