/** Folders that are fetched as a tar while something fails: no tar is whole but that of a run without failures. */
import { describe, expect, test } from "bun:test";
import { fetchToStream } from "../../lib/cli/client/fetch-stream.ts";
import type { ConsoleIo } from "../../lib/cli/console-io.ts";
import { Connection } from "../../lib/client/connection.ts";
import { StorageError, toCommError } from "../../lib/errors.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import type { OpenFile } from "../../lib/storage/storage.ts";
import { WrappedStorage } from "../../lib/storage/wrapped.ts";
import { runTar, TARS } from "../support/tars.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestIo } from "../support/test-io.ts";
import { TestServer } from "../support/test-server.ts";

const MIB = 1024 * 1024;
const LARGE = Buffer.alloc(3 * MIB, "large");

/** A storage in which a file can be read up to a place, and fails there. */
class FailingReads extends WrappedStorage {
  readonly fails = new Map<string, { at: number; error: StorageError }>();

  override async open(path: string): Promise<OpenFile> {
    const file = await super.open(path);
    const failure = this.fails.get(path);
    if (failure === undefined) return file;
    return {
      entry: file.entry,
      hasGrown: false,
      read: async (buffer, position) => {
        if (position >= failure.at) throw failure.error;
        return file.read(buffer, position);
      },
      check: () => file.check(),
      source: () => undefined,
      holes: () => file.holes(),
      close: () => file.close(),
    };
  }
}

/** Fetch "d" as a tar from a server whose files fail as `prepare` says. */
async function fetched(prepare: (storage: FailingReads) => void) {
  const memory = new MemoryStorage();
  const storage = new FailingReads(memory);
  await using server = new TestServer({ storage });
  for (const name of ["a", "c"]) memory.set(`d/${name}`, Buffer.from(name));
  memory.set("d/b", LARGE);
  prepare(storage);
  const pieces: Uint8Array[] = [];
  const console = new TestIo();
  const io: ConsoleIo = {
    ...console,
    out: async (bytes) => void pieces.push(new Uint8Array(bytes as Uint8Array)),
    note: (line) => console.note(line),
    log: (lines) => console.log(lines),
    show: (lines, to) => console.show(lines, to),
    flush: () => console.flush(),
  };
  const connection = await Connection.open({
    ...{ clock: systemClock, reconnectMs: 0, random: () => 0, connect: () => server.client() },
  });
  const ended = await fetchToStream(connection, {
    ...{ io, sources: ["d"], output: "-", strict: false, json: false },
    signal: new AbortController().signal,
  }).then(
    (exit) => exit,
    (thrown) => toCommError(thrown).code,
  );
  using folder = new TempFolder();
  const [first, ...others] = TARS.filter(({ command: [name] }) => Bun.which(name) !== null).map(
    (program) => runTar(program, ["-xf", "-"], folder.path, Buffer.concat(pieces)).exitCode === 0,
  );
  for (const other of others) expect(other).toBe(first as boolean);
  const names = [...new Bun.Glob("d/*").scanSync(folder.path)].sort();
  return { ended, isWhole: first, names, notes: console.notes };
}

describe("a folder as a tar", () => {
  test("is whole when nothing fails", async () => {
    expect(await fetched(() => {})).toMatchObject({ ended: 0, isWhole: true, names: ["d/a", "d/b", "d/c"] });
  });

  test("goes on after a file that fails before its first byte, and ends without its end", async () => {
    const error = new StorageError("UNREADABLE", "No.");
    const { notes, ...seen } = await fetched((storage) => storage.fails.set("d/b", { at: 0, error }));
    expect(seen).toEqual({ ended: 5, isWhole: false, names: ["d/a", "d/c"] });
    expect(notes).toContainEqual(expect.stringContaining("No."));
  });

  test.each([
    ["UNREADABLE", 5],
    ["CHANGED", "CHANGED"],
  ] as const)("ends in a file that fails within its bytes: %s", async (code, ended) => {
    const error = new StorageError(code, "Not any more.");
    const { names, ...seen } = await fetched((storage) => storage.fails.set("d/b", { at: MIB, error }));
    expect(seen).toMatchObject({ ended, isWhole: false });
    expect(names).not.toContain("d/c");
  });
});
