import { describe, expect, test } from "bun:test";
import fs, { existsSync, symlinkSync } from "node:fs";
import { isRunning, type ProcessMark, thisProcess } from "../../../lib/platform/process-mark.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../../support/unprivileged.ts";

const MODULE = `${import.meta.dir}/../../../lib/platform/process-mark.ts`;

/** The mark of another process, on a machine where `change` has happened. */
function markWhere(change = ""): ProcessMark {
  const script = `
    const [fs, os] = [require("node:fs"), require("node:os")];
    const { readFileSync, readlinkSync } = fs;
    const hide = (...paths) => {
      const hidden = (read) => (path, ...rest) => {
        if (paths.includes(path)) throw new Error("no such file");
        return read(path, ...rest);
      };
      [fs.readFileSync, fs.readlinkSync] = [hidden(readFileSync), hidden(readlinkSync)];
    };
    const cards = (...macs) => (os.networkInterfaces = () => ({ a: macs.map((mac) => ({ mac })), b: undefined }));
    ${change};
    const { thisProcess } = await import(${JSON.stringify(MODULE)});
    console.log(JSON.stringify(thisProcess()));`;
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", script]);
  if (stderr.length > 0) throw new Error(stderr.toString());
  return JSON.parse(stdout.toString());
}

const BOOT_ID = "/proc/sys/kernel/random/boot_id";
const MACHINE_ID = "/etc/machine-id";
const SPACE = "/proc/self/ns/pid";

/** When a process began: the 22nd field of proc_pid_stat(5), counted from behind its name. */
function startOf(pid: number | "self"): string {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(") ") + 2).split(" ")[22 - 3] ?? "";
}

describe.skipIf(process.platform !== "linux")("the mark of a process", () => {
  test("is of one form, and the same each time", () => {
    const { machine, boot, space, pid, start } = thisProcess();
    for (const digest of [machine, boot]) expect(digest).toMatch(/^[0-9a-f]{16}$/);
    expect(space).toBe(/\d+/.exec(fs.readlinkSync(SPACE))?.[0] ?? "");
    expect([pid, start]).toEqual([process.pid, startOf("self")]);
    expect(thisProcess()).toBe(thisProcess());
  });

  test("tells two of one machine apart, and says that it is one", () => {
    const [own, other] = [thisProcess(), markWhere()];
    expect(other).toMatchObject({ machine: own.machine, boot: own.boot, space: own.space });
    expect(other.pid).not.toBe(own.pid);
  });

  test("tells two machines of one image apart by their names, and two of one name by their ids", () => {
    const { machine } = thisProcess();
    expect(markWhere(`os.hostname = () => "copied"`).machine).not.toBe(machine);
    // A container may have no id.
    if (existsSync(MACHINE_ID)) expect(markWhere(`hide("${MACHINE_ID}")`).machine).not.toBe(machine);
  });

  test("tells machines without an id apart by their network cards, in whatever order they are", () => {
    const machineWith = (...cards: string[]) =>
      markWhere(`hide("${MACHINE_ID}"); cards(${cards.map((card) => JSON.stringify(card)).join()})`).machine;
    const machine = machineWith("02:01", "02:02");
    expect(machineWith("02:02", "02:01", "02:01")).toBe(machine);
    expect(machineWith("02:01", "02:03")).not.toBe(machine);
  });

  test("has less where the system tells less: no run of the machine, no space, no start", () => {
    const { machine, boot, space, start } = markWhere(
      `hide("${BOOT_ID}", "${SPACE}", "/proc/" + process.pid + "/stat")`,
    );
    expect({ boot, space, start }).toEqual({ boot: machine, space: "0", start: "0" });
    expect(machine).toBe(thisProcess().machine);
    expect(thisProcess().boot).not.toBe(machine);
  });
});

describe.skipIf(process.platform !== "linux")("a process that runs", () => {
  test("is another than one of its number that began at another time", () => {
    expect(isRunning({ pid: process.pid, start: startOf("self") })).toBe(true);
    expect(isRunning({ pid: process.pid, start: "1" })).toBe(false);
  });

  test("may be another of its number where the start is not known", () => {
    expect(isRunning({ pid: process.pid, start: "0" })).toBeUndefined();
  });

  test("is known by its start whatever its name is", async () => {
    using folder = new TempFolder();
    symlinkSync(Bun.which("sleep") ?? "", folder.join("a) Z (b"));
    const child = Bun.spawn([folder.join("a) Z (b"), "1000"]);
    try {
      expect(fs.readFileSync(`/proc/${child.pid}/stat`, "latin1")).toContain("(a) Z (b)");
      expect(isRunning({ pid: child.pid, start: startOf(child.pid) })).toBe(true);
    } finally {
      child.kill("SIGKILL");
      await child.exited;
    }
  });

  test.skipIf(noPermissionTests !== undefined || process.getuid?.() !== 0)(
    permissionTest("runs also where it is another user's"),
    async () => {
      using folder = new TempFolder();
      const start = startOf(1);
      await unprivileged(folder.path, () => expect(isRunning({ pid: 1, start })).toBe(true));
    },
  );
});
