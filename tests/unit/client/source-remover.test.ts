import { describe, expect, test } from "bun:test";
import { type RemovableSources, SourceRemover } from "../../../lib/client/source-remover.ts";
import type { TransferItem } from "../../../lib/client/transfer.ts";
import { CommError } from "../../../lib/errors.ts";
import { settle } from "../../support/fake-clock.ts";

const itemOf = (from: string, kind: TransferItem["kind"] = "file"): TransferItem => ({
  ...{ from, to: from, kind, size: 1, modifiedAt: 0 },
});
const stored = (path: string) => ({ outcome: "stored" as const, path, size: 1 });

function removing(failures: Record<string, CommError> = {}, gate: Promise<void> = Promise.resolve()) {
  const log: string[] = [];
  const remove = async ({ from }: TransferItem) => {
    await gate;
    const failure = failures[from];
    if (failure !== undefined) throw failure;
  };
  const sources: RemovableSources<TransferItem> = {
    removeFile: remove,
    removeFolder: remove,
    onRemoved: ({ from }) => void log.push(`removed ${from}`),
    onKept: ({ from }, { code }) => void log.push(`kept ${from} ${code}`),
  };
  return { remover: new SourceRemover(sources), log };
}

describe("SourceRemover", () => {
  test("removes files when they have arrived, and folders after all that is in them", async () => {
    const { remover, log } = removing();
    for (const folder of ["d", "d/e"]) remover.take(itemOf(folder, "folder"), stored(folder));
    remover.take(itemOf("d/e/a"), stored("d/e/a"));
    await settle();
    expect(log).toEqual(["removed d/e/a"]);
    remover.take(itemOf("d/b"), stored("d/b"));
    await remover.finish();
    expect(log).toEqual(["removed d/e/a", "removed d/b", "removed d/e", "removed d"]);
    expect(remover.firstFailure).toBeUndefined();
  });

  test("keeps what was skipped", async () => {
    const { remover, log } = removing();
    remover.take(itemOf("a"), { outcome: "skipped", path: "a", size: 1 });
    await remover.finish();
    expect(log).toEqual([]);
  });

  test("tells which sources stay, but not of folders that others use", async () => {
    const { remover, log } = removing({
      a: new CommError("CHANGED", "No."),
      d: new CommError("NOT_EMPTY", "No."),
      e: new CommError("NOT_ALLOWED", "No."),
    });
    for (const folder of ["d", "e"]) remover.take(itemOf(folder, "folder"), stored(folder));
    for (const file of ["a", "b"]) remover.take(itemOf(file), stored(file));
    await remover.finish();
    expect(log.sort()).toEqual(["kept a CHANGED", "kept e NOT_ALLOWED", "removed b"]);
    expect(remover.firstFailure?.code).toBe("CHANGED");
  });

  test("begins no more when it is stopped", async () => {
    const gate = Promise.withResolvers<void>();
    const { remover, log } = removing({}, gate.promise);
    remover.take(itemOf("d", "folder"), stored("d"));
    for (let index = 0; index < 20; index++) remover.take(itemOf(`${index}`), stored(`${index}`));
    remover.stop();
    gate.resolve();
    await remover.finish();
    expect(log.length).toBeLessThan(20);
    expect(log).not.toContain("removed d");
  });
});
