import { expect, test } from "bun:test";
import { descriptorLimit } from "../../../lib/platform/descriptors.ts";

const MODULE = `${import.meta.dir}/../../../lib/platform/descriptors.ts`;

/** What a process with this limit reads, by the way that `before` leaves it. */
function limitOf(limit: string, before = ""): string {
  const script = `${before}; const { descriptorLimit } = await import(${JSON.stringify(MODULE)}); console.log(descriptorLimit())`;
  return Bun.spawnSync([
    "sh",
    "-c",
    `ulimit ${limit} && exec "$0" -e "$1"`,
    process.execPath,
    script,
  ]).stdout.toString();
}

test.skipIf(process.platform === "win32")(
  "the limit is that of this process: Bun has raised it to the highest that it may have",
  () => {
    expect(limitOf("-n 300")).toBe("300\n");
    expect(limitOf("-Sn 200 && ulimit -Hn 300")).toBe("300\n");
    expect(descriptorLimit()).toBeGreaterThan(200);
  },
);

test.skipIf(process.platform !== "linux")("without /proc the limit is read all the same", () => {
  const hide = `require("node:fs").readFileSync = () => { throw new Error("no /proc") }`;
  expect(limitOf("-n 300", hide)).toBe("300\n");
});

test.skipIf(process.platform === "win32")("on Windows there is none, whatever its runtime reports", () => {
  expect(limitOf("-n 300", `Object.defineProperty(process, "platform", { value: "win32" })`)).toBe("undefined\n");
});

test.skipIf(process.platform === "win32")("the number of open ones rises and falls with them", () => {
  // In a process where nothing else is opened or closed.
  const script = `
    const { closeSync, openSync } = await import("node:fs");
    const { openDescriptors } = await import(${JSON.stringify(MODULE)});
    const before = openDescriptors();
    const opened = Array.from({ length: 5 }, () => openSync(${JSON.stringify(import.meta.path)}, "r"));
    const during = openDescriptors() - before;
    for (const fd of opened) closeSync(fd);
    console.log(during, openDescriptors() - before);`;
  expect(Bun.spawnSync([process.execPath, "-e", script]).stdout.toString()).toBe("5 0\n");
});
