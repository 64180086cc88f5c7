import { afterEach, describe, expect, setSystemTime, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ProcessMark, thisProcess } from "../../../lib/platform/process-mark.ts";
import { LockFolder } from "../../../lib/storage/local/locks/lock-folder.ts";
import { formatOwner, LEASE_MS, type LockGround, type LockOwner } from "../../../lib/storage/local/locks/lock-owner.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const MODULE = join(import.meta.dir, "../../../lib/storage/local/locks/lock-folder.ts");
const SHARED: LockGround = { flockedOn: "0", isOwnDisk: false };
/** Another machine. */
const OTHER = { machine: "0123456789abcdef", boot: "fedcba9876543210" };
const OWN: LockGround = { flockedOn: "0", isOwnDisk: true };

afterEach(() => {
  setSystemTime();
});

/** A folder with a lock in it, held by whom the test wants. */
class Site extends TempFolder {
  readonly place = this.join("lock");

  take(ground = SHARED): LockFolder | undefined {
    return LockFolder.take(this.place, this.join(crypto.randomUUID()), ground);
  }

  /** A lock of another process, last seen so long ago. */
  hold(owner: Partial<LockOwner>, idleMs = 0): void {
    mkdirSync(this.place, { recursive: true });
    const file = join(this.place, formatOwner({ ...thisProcess(), flockedOn: "0", random: "aa", ...owner }));
    writeFileSync(file, ".");
    const seenAt = new Date(Date.now() - idleMs);
    utimesSync(file, seenAt, seenAt);
  }

  isFree(ground = SHARED): boolean {
    const lock = this.take(ground);
    lock?.release();
    return lock !== undefined;
  }
}

/** A process that has ended, as others saw it. */
async function ended(): Promise<ProcessMark> {
  const script = `
    import { thisProcess } from ${JSON.stringify(join(import.meta.dir, "../../../lib/platform/process-mark.ts"))};
    console.log(JSON.stringify(thisProcess()));`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
  const mark = JSON.parse(await new Response(child.stdout).text());
  await child.exited;
  return mark;
}

describe("a lock folder", () => {
  test("has one holder at a time, and nothing is left of it", () => {
    using site = new Site();
    const first = site.take();
    expect(first?.isHeld).toBe(true);
    expect(site.take()).toBeUndefined();
    first?.release();
    expect(readdirSync(site.path)).toEqual([]);
    expect(site.isFree()).toBe(true);
  });

  test("that is empty is nobody's", () => {
    using site = new Site();
    mkdirSync(site.place);
    expect(site.isFree()).toBe(true);
  });

  test("of a process that has ended is free, however lately it showed itself", async () => {
    using site = new Site();
    site.hold(await ended());
    expect(site.isFree()).toBe(true);
    expect(readdirSync(site.path)).toEqual([]);
  });

  test("of a process that runs is held, however long it has not shown itself", () => {
    using site = new Site();
    site.hold({}, 10 * LEASE_MS);
    expect(site.isFree()).toBe(process.platform !== "linux");
  });

  test.skipIf(process.platform !== "linux")("of a process whose number another has by now is free", () => {
    using site = new Site();
    site.hold({ start: `${Number(thisProcess().start) - 1}` });
    expect(site.isFree()).toBe(true);
  });

  test("of another machine, or of another container, is held until it has not shown itself for two minutes", () => {
    for (const stranger of [OTHER, { space: "1", pid: 1 }]) {
      using site = new Site();
      site.hold(stranger, LEASE_MS - 10_000);
      expect(site.isFree()).toBe(false);
      rmSync(site.place, { recursive: true });
      site.hold(stranger, LEASE_MS + 10_000);
      expect(site.isFree()).toBe(true);
    }
  });

  test("of an earlier run of this machine is free on a disk in it, one of another machine that sees that disk is not", () => {
    using site = new Site();
    site.hold({ boot: OTHER.boot });
    expect(site.isFree(SHARED)).toBe(false);
    expect(site.isFree(OWN)).toBe(true);
    site.hold(OTHER);
    expect(site.isFree(OWN)).toBe(false);
  });

  test("of another container that had flock is free to the process that has this flock now, and to nobody else", () => {
    using site = new Site();
    site.hold({ space: "1", pid: 1, flockedOn: "fe00-12" });
    expect(site.isFree({ flockedOn: "fe00-13", isOwnDisk: false })).toBe(false);
    expect(site.isFree({ flockedOn: "0", isOwnDisk: false })).toBe(false);
    expect(site.isFree({ flockedOn: "fe00-12", isOwnDisk: false })).toBe(true);
  });

  test("with something in it that a later version may have put there is held for two minutes", () => {
    using site = new Site();
    mkdirSync(site.place);
    writeFileSync(join(site.place, "v2 owner"), "");
    expect(site.isFree()).toBe(false);
    const old = new Date(Date.now() - LEASE_MS - 10_000);
    utimesSync(join(site.place, "v2 owner"), old, old);
    expect(site.isFree()).toBe(true);
  });

  test("is not looked for through a link, and a file in its place is left alone", () => {
    using site = new Site();
    mkdirSync(site.join("elsewhere"));
    writeFileSync(site.join("elsewhere/v2 owner"), "");
    symlinkSync("elsewhere", site.place);
    expect(site.take()).toBeUndefined();
    rmSync(site.place);
    writeFileSync(site.place, "theirs");
    expect(site.take()).toBeUndefined();
    expect(readdirSync(site.path).sort()).toEqual(["elsewhere", "lock"]);
    expect(existsSync(site.join("elsewhere/v2 owner"))).toBe(true);
  });

  test("is shown to other machines while it is held, and known as lost when another has taken it", () => {
    using site = new Site();
    const lock = site.take();
    const [own] = readdirSync(site.place);
    const file = join(site.place, own as string);
    const old = new Date(Date.now() - LEASE_MS);
    utimesSync(file, old, old);
    setSystemTime(new Date(Date.now() + LEASE_MS));
    expect(lock?.isHeld).toBe(true);
    expect(statSync(file).mtimeMs).toBeGreaterThan(old.getTime());
    rmSync(file);
    setSystemTime(new Date(Date.now() + 2 * LEASE_MS));
    expect(lock?.isHeld).toBe(false);
    // What is another's by now is not taken from it.
    site.hold(OTHER);
    lock?.release();
    expect(readdirSync(site.place)).toHaveLength(1);
  });

  test("that a dead holder left is taken over by one alone, however many try at once", async () => {
    using site = new Site();
    const dead = await ended();
    const script = `
      import { existsSync, writeFileSync } from "node:fs";
      import { LockFolder } from ${JSON.stringify(MODULE)};
      const [place, inside] = process.argv.slice(1);
      console.log("ready");
      for await (const _ of Bun.stdin.stream()) {
        let got = 0;
        for (let turn = 0; turn < 40; turn++) {
          const lock = LockFolder.take(place, place + "." + crypto.randomUUID(), ${JSON.stringify(SHARED)});
          if (lock === undefined) continue;
          got++;
          // Two inside at once: the second finds the mark of the first.
          try { writeFileSync(inside, "", { flag: "wx" }); } catch { console.log("two at once"); }
          if (turn % 3 === 0) Bun.sleepSync(1);
          (await import("node:fs")).rmSync(inside, { force: true });
          lock.release();
        }
        console.log("got " + got);
      }`;
    const inside = site.join("inside");
    const rivals = Array.from({ length: 6 }, () =>
      Bun.spawn([process.execPath, "-e", script, site.place, inside], { stdin: "pipe", stdout: "pipe" }),
    );
    const lines = rivals.map((rival) => linesOf(rival.stdout));
    for (const line of lines) expect((await line.next()).value).toBe("ready");
    for (let round = 0; round < 10; round++) {
      site.hold({ ...dead, random: `${round}` });
      for (const rival of rivals) {
        rival.stdin.write("go\n");
        rival.stdin.flush();
      }
      let got = 0;
      for (const line of lines) {
        const { value } = await line.next();
        expect(value).toMatch(/^got \d+$/);
        got += Number(value?.slice(4));
      }
      expect(got).toBeGreaterThan(0);
      expect(readdirSync(site.path)).toEqual([]);
    }
    for (const rival of rivals) rival.stdin.end();
    await Promise.all(rivals.map((rival) => rival.exited));
  });
});

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  return undefined;
}
