import { describe, expect, test } from "bun:test";
import { forEachPath } from "../../../lib/cli/client/each-path.ts";
import { EXIT, EXIT_OF } from "../../../lib/cli/exit-codes.ts";
import { CommError, type ErrorCode, RemoteError, TransportError } from "../../../lib/errors.ts";
import { codeOf } from "../../support/fault.ts";
import { TestIo } from "../../support/test-io.ts";

/** Do paths of which some fail so. */
async function each(paths: readonly string[], failures: Record<string, CommError>) {
  const io = new TestIo();
  const done: string[] = [];
  const exit = await forEachPath(paths, { io, json: false, command: "rename" }, async (path) => {
    const failure = failures[path];
    if (failure !== undefined) throw failure;
    done.push(path);
    return 0;
  });
  return { exit, done, failures: io.notes.filter((line) => line.startsWith("commserver-client: ")).length };
}

const refusal = (code: ErrorCode) => new RemoteError(code, "No.");

describe("forEachPath()", () => {
  test("ends with 0 when all is done", async () => {
    expect(await each(["a", "b"], {})).toEqual({ exit: EXIT.DONE, done: ["a", "b"], failures: 0 });
  });

  test("continues after failures, reports each, and has the exit code of the first", async () => {
    const failures = { a: refusal("NOT_FOUND"), c: refusal("NOT_ALLOWED"), d: refusal("EXISTS") };
    expect(new Set([EXIT_OF.NOT_FOUND, EXIT_OF.NOT_ALLOWED, EXIT_OF.EXISTS]).size).toBe(3);
    const told = await each(["a", "b", "c", "d", "e"], failures);
    expect(told).toEqual({ exit: EXIT_OF.NOT_FOUND, done: ["b", "e"], failures: 3 });
  });

  test("ends with the session: the others would fare no better", async () => {
    const told = await each(["a", "b"], { a: new TransportError("LOST", "Gone.") });
    expect(told).toEqual({ exit: EXIT_OF.LOST, done: [], failures: 1 });
  });

  test.each(["INTERRUPTED", "OUTPUT_CLOSED"] as const)("throws %s, and does no more", async (code) => {
    const done: string[] = [];
    const work = async (path: string): Promise<number> => {
      done.push(path);
      throw new CommError(code, "Enough.");
    };
    const terms = { io: new TestIo(), json: false, command: "rename" };
    expect(await codeOf(() => forEachPath(["a", "b"], terms, work))).toBe(code);
    expect([done, terms.io.notes]).toEqual([["a"], []]);
  });

  test("has the exit code of a failure that was reported already, and goes on", async () => {
    const done: string[] = [];
    const exit = await forEachPath(
      ["a", "b", "c"],
      { io: new TestIo(), json: false, command: "rename" },
      async (path) => {
        done.push(path);
        return path === "a" ? 0 : path === "b" ? EXIT.CONFLICT : EXIT.NOT_FOUND;
      },
    );
    expect({ exit, done }).toEqual({ exit: EXIT.CONFLICT, done: ["a", "b", "c"] });
  });

  test("throws what the only one fails with", async () => {
    expect(await codeOf(() => each(["a"], { a: refusal("EXISTS") }))).toBe("EXISTS");
  });
});
