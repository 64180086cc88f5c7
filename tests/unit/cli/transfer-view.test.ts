import { expect, spyOn, test } from "bun:test";
import { TransferView } from "../../../lib/cli/client/transfer-view.ts";
import { EXIT_OF } from "../../../lib/cli/exit-codes.ts";
import { TransferTally } from "../../../lib/client/transfer-result.ts";
import { RemoteError } from "../../../lib/errors.ts";
import { TestIo } from "../../support/test-io.ts";

const item = (path: string) => ({ from: path, to: path, kind: "file", size: 1_000, modifiedAt: 0 }) as const;

function shown({ json = true, isStrict = false } = {}) {
  const io = new TestIo();
  const view = new TransferView({ io, json, verb: "Sent", isStrict, placeOf: () => "" });
  const tally = new TransferTally();
  const finish = () => view.finish(tally.result);
  const events = async () => {
    await finish();
    const lines = io.written.join("").trimEnd().split("\n");
    return lines.map((line): Record<string, unknown> => JSON.parse(line));
  };
  /** As a job counts and reports it. */
  const fail = (path: string, error: RemoteError) => {
    tally.addFailure(error);
    view.onFailed(item(path), error);
  };
  return { view, io, tally, fail, finish, events };
}

test("progress is reported five times a second at most, from the beginning of the transfer on", async () => {
  let now = performance.now() + 60_000;
  using _ = spyOn(performance, "now").mockImplementation(() => now);
  const { view, events } = shown();
  const file = item("a");
  view.onStart(file, 0, 1_000);
  view.onProgress(file, 100);
  now += 199;
  view.onProgress(file, 100);
  now += 1;
  view.onProgress(file, 100);
  view.onProgress(file, 100);
  now += 200;
  view.onProgress(file, 100);
  const told = (await events()).filter(({ event }) => event === "progress");
  expect(told.map(({ bytes }) => bytes)).toEqual([300, 500]);
});

test("the exit code is that of the first failure", async () => {
  const { fail, finish, events } = shown();
  expect(await finish()).toBe(0);
  fail("a", new RemoteError("EXISTS", "No."));
  fail("b", new RemoteError("NOT_FOUND", "No."));
  expect(await finish()).toBe(EXIT_OF.EXISTS);
  const failed = (await events()).filter(({ event }) => event === "failed");
  expect(failed.map(({ code, exit }) => [code, exit])).toEqual([
    ["EXISTS", EXIT_OF.EXISTS],
    ["NOT_FOUND", EXIT_OF.NOT_FOUND],
  ]);
  expect(await finish()).toBe(EXIT_OF.EXISTS);
});

test("what is left out makes it incomplete where that is asked for, and hides no failure", async () => {
  const left = { path: "a", code: "NOT_A_FILE", why: "a device" } as const;
  for (const isStrict of [false, true]) {
    const { view, tally, fail, finish } = shown({ isStrict });
    tally.addLeftOut(1);
    view.onLeftOut(left);
    expect(await finish()).toBe(isStrict ? EXIT_OF.INCOMPLETE : 0);
    fail("b", new RemoteError("NOT_FOUND", "No."));
    expect(await finish()).toBe(EXIT_OF.NOT_FOUND);
  }
});

test("what arrives damaged and comes again counts once", async () => {
  const { view, events } = shown();
  const file = item("a");
  let now = performance.now();
  using _ = spyOn(performance, "now").mockImplementation(() => (now += 1_000));
  view.onStart(file, 200, 1_000);
  view.onProgress(file, 700);
  view.onProgress(file, 700);
  const told = (await events()).filter(({ event }) => event === "progress");
  expect(told.map(({ bytes }) => bytes)).toEqual([900, 1_000]);
});
