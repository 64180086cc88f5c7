import { expect, test } from "bun:test";
import { join } from "node:path";

/** bun:ffi makes code at run time; without, nothing of the C library can be called, and the portable ways serve. */
const WITHOUT_FFI = { ...process.env, BUN_JSC_useJIT: "0" };
/** The contract, and what else is told of names, links and unfinished files. */
const FILES = [
  join(import.meta.dir, "storage.test.ts"),
  ...["folder-reader", "local-changes", "local-links", "local-special", "part-crash", "part-hidden"].map((name) =>
    join(import.meta.dir, `../unit/storage/${name}.test.ts`),
  ),
];

test("LocalStorage keeps the whole contract also where it may not call the C library", async () => {
  const check = `const { libc } = await import(${JSON.stringify(join(import.meta.dir, "../../lib/platform/libc.ts"))});
    console.log(Object.values(libc()).every((call) => call === undefined));`;
  const probe = Bun.spawnSync([process.execPath, "-e", check], { env: WITHOUT_FFI });
  expect(probe.stdout.toString()).toBe("true\n");

  const child = Bun.spawn([process.execPath, "test", "--timeout", "60000", ...FILES], {
    env: WITHOUT_FFI,
    stdout: "ignore",
    stderr: "pipe",
  });
  const [report, exitCode] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  const failed = report.split("\n").filter((line) => line.startsWith("(fail)"));
  expect({ failed, exitCode }).toEqual({ failed: [], exitCode: 0 });
  expect(Number(/(\d+) pass/.exec(report)?.[1])).toBeGreaterThan(300);
}, 180_000);
