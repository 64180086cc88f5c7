import { describe, expect, test } from "bun:test";
import { Readable } from "node:stream";
import { askYesNo } from "../../../lib/cli/terminal/ask-yes-no.ts";
import type { Input } from "../../../lib/cli/terminal/line-input.ts";
import { PipedLines } from "../../../lib/cli/terminal/piped-lines.ts";

/** Input that comes in these pieces, and then ends. */
function piped(...pieces: string[]): PipedLines {
  return new PipedLines(Readable.from(pieces.map((piece) => Buffer.from(piece))) as unknown as NodeJS.ReadStream);
}

/** Input that neither ends nor says anything more. */
function silent(): { lines: PipedLines; input: Readable } {
  const input = new Readable({ read() {} });
  return { lines: new PipedLines(input as unknown as NodeJS.ReadStream), input };
}

async function all(lines: PipedLines): Promise<Input[]> {
  const inputs: Input[] = [];
  for (;;) {
    const input = await lines.next();
    inputs.push(input);
    if (input.kind !== "line") return inputs;
  }
}

const texts = (inputs: readonly Input[]) => inputs.map((input) => ("text" in input ? input.text : input.kind));

describe("piped lines", () => {
  test.each([
    ["one piece", ["a\nb\n"], ["a", "b", "end"]],
    ["pieces that end anywhere", ["a", "b\nc", "\n", "d\ne"], ["ab", "c", "d", "e", "end"]],
    ["a last line without its line feed", ["a\nb"], ["a", "b", "end"]],
    ["lines of Windows", ["a\r\nb\r\n"], ["a", "b", "end"]],
    ["empty lines", ["\n\na\n"], ["", "", "a", "end"]],
    ["a carriage return within a line", ["a\rb\n"], ["a\rb", "end"]],
    ["no line at all", [], ["end"]],
  ])("come one by one from %s", async (_, pieces, expected) => {
    expect(texts(await all(piped(...pieces)))).toEqual(expected);
  });

  test("put characters together that come in two pieces", async () => {
    const bytes = Buffer.from("ä\n");
    const stream = Readable.from([bytes.subarray(0, 1), bytes.subarray(1)]);
    expect(texts(await all(new PipedLines(stream as unknown as NodeJS.ReadStream)))).toEqual(["ä", "end"]);
  });

  test("lose what is longer than 64 Ki characters, whether its end has come or not", async () => {
    const long = "x".repeat(70_000);
    const inputs = texts(await all(piped(`${long}\nb\n`, long, long, "\nc\n")));
    expect(inputs.map((text) => text.length)).toEqual([65_536, 1, 65_536, 1, 3]);
  });

  test("end with the input, and stay at their end", async () => {
    const lines = piped("a\n");
    expect(await all(lines)).toEqual([
      { kind: "line", text: "a" },
      { kind: "end", isGone: false },
    ]);
    expect(await lines.next()).toMatchObject({ kind: "end" });
  });

  test("say of a terminal that fails that it is gone", async () => {
    const { lines, input } = silent();
    const next = lines.next();
    input.destroy(new Error("EIO"));
    expect(await next).toEqual({ kind: "end", isGone: true });
  });

  test("can be closed while nothing comes: a waiting caller gets the end", async () => {
    const { lines, input } = silent();
    const next = lines.next();
    lines.close();
    expect(await next).toEqual({ kind: "end" });
    input.push("too late\n");
    expect(await lines.next()).toEqual({ kind: "end" });
  });

  test("report Ctrl-C as what comes next, and read nothing after it", async () => {
    const { lines, input } = silent();
    const next = lines.next();
    lines.interrupt();
    expect(await next).toEqual({ kind: "interrupt", text: "" });
    input.push("the rest of the script\n");
    expect(await lines.next()).toEqual({ kind: "interrupt", text: "" });
  });

  test("leave Ctrl-C to work that it ends, only while that work lasts", async () => {
    const lines = piped("a\n");
    let interrupts = 0;
    const work = Promise.withResolvers<string>();
    const done = lines.during(() => interrupts++, work.promise);
    lines.interrupt();
    work.resolve("done");
    expect([await done, interrupts]).toEqual(["done", 1]);
    expect(await lines.next()).toMatchObject({ text: "a" });
    const failed = lines.during(() => interrupts++, Promise.reject(new Error("no")));
    await expect(failed).rejects.toThrow("no");
    lines.interrupt();
    expect([interrupts, await lines.next()]).toEqual([1, { kind: "interrupt", text: "" }]);
  });

  test("answer a question as a person does", async () => {
    const answer = (line: string) => askYesNo(piped(line), "Sure?");
    expect(await Promise.all(["y\n", " Yes \n", "YES", "n\n", "yes please\n", "\n", ""].map(answer))).toEqual([
      ...[true, true, true],
      ...[false, false, false, false],
    ]);
    const { lines } = silent();
    const asked = askYesNo(lines, "Sure?");
    lines.interrupt();
    await expect(asked).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});
