import { afterEach, expect, mock, spyOn, test } from "bun:test";
import { statSync } from "node:fs";
import { listenOperators } from "../../../lib/daemon/operator-listener.ts";
import { operatorSocket } from "../../../lib/state/state-dir.ts";
import { TempFolder } from "../../support/temp-folder.ts";

afterEach(() => {
  mock.restore();
});

test.skipIf(process.platform === "win32")("the operator's socket is its owner's alone from its first moment on", () => {
  using state = new TempFolder();
  const before = process.umask(0);
  try {
    const listen = Bun.listen;
    const rights: number[] = [];
    spyOn(Bun, "listen").mockImplementation(((options: Parameters<typeof Bun.listen>[0]) => {
      const listener = listen(options);
      rights.push(statSync(operatorSocket(state.path)).mode & 0o777);
      return listener;
    }) as typeof Bun.listen);
    const { warnings, stop } = listenOperators(state.path, () => {});
    stop();
    expect(warnings).toEqual([]);
    expect(rights).toEqual([0o600]);
    // What the server makes from now on has the rights that its user wants.
    expect(process.umask()).toBe(0);
  } finally {
    process.umask(before);
  }
});
