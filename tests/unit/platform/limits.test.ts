import { expect, test } from "bun:test";
import { join } from "node:path";

const LIB = join(import.meta.dir, "../../../lib/platform");

/** What a process prints for `expression`; `before` is run first by the shell, `change` by the process. */
function told(module: string, expression: string, { before = "true", change = "" } = {}): string {
  const script = `
    const [fs, os] = [require("node:fs"), require("node:os")];
    const hide = () => (fs.readFileSync = () => { throw new Error("no /proc"); });
    ${change};
    const it = await import(${JSON.stringify(join(LIB, module))});
    console.log(${expression});`;
  const { stdout, stderr } = Bun.spawnSync(["bash", "-c", `${before} && exec "$0" -e "$1"`, process.execPath, script]);
  if (stderr.length > 0) throw new Error(stderr.toString());
  return stdout.toString().trim();
}

const ofFile = (before: string, change = "") =>
  told("file-size-limit.ts", "[it.fileSizeLimit(), it.fileSizeLimit()].join()", { before, change });

test.skipIf(process.platform !== "linux")("the size that a file may have is the limit that holds now, in bytes", () => {
  expect(ofFile("ulimit -f 2048")).toBe("2097152,2097152");
  expect(ofFile("ulimit -Sf 2048 && ulimit -Hf 4096")).toBe("2097152,2097152");
});

test("a file may have any size where there is no limit, or none is known", () => {
  expect(ofFile("true", "hide()")).toBe("Infinity,Infinity");
  if (process.platform === "linux") expect(ofFile("ulimit -Sf unlimited || true")).toBe("Infinity,Infinity");
});

/** The run of the machine, on a system without a name for it, at a time in seconds since 1970, so long after its start. */
const bootAt = (seconds: number, uptime: number) =>
  told("boot.ts", "it.bootId()", {
    change: `hide(); Date.now = () => ${seconds * 1_000}; os.uptime = () => ${uptime}`,
  });

test("without a name of the system's a run of the machine is known by its start, as well as clocks agree", () => {
  const boot = bootAt(1_700_000_400, 400);
  expect(boot).toMatch(/^\d+$/);
  expect(bootAt(1_700_009_003, 9_000)).toBe(boot);
  expect(bootAt(1_700_000_400, 390)).not.toBe(boot);
});
