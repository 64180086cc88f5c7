/** What has changed in a file, as a person sees it move. */
import { describe, expect, test } from "bun:test";
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { binaries } from "../support/binaries.ts";
import { FolderSite } from "../support/folder-site.ts";
import { USER_ENV } from "../support/processes.ts";
import { noise } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";

const MIB = 1_048_576;
const OLD = noise(5 * MIB, 3);

/** Other content at one place, and another time. */
function change(file: string, offset = 3 * MIB): void {
  const fd = openSync(file, "r+");
  writeSync(fd, "changed", offset);
  closeSync(fd);
  utimesSync(file, 1_600_000_000, 1_600_000_000);
}

const finished = (stdout: string) => JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}");

describe.each(["get", "put"] as const)("%s --overwrite of a file that has changed", (method) => {
  async function open() {
    const site = await FolderSite.open();
    const [from, to] = method === "get" ? [site.repository, site.here] : [site.here, site.repository];
    writeFileSync(`${from}/vm.img`, OLD);
    copyFileSync(`${from}/vm.img`, `${to}/vm.img`);
    change(`${from}/vm.img`);
    return {
      site,
      from: `${from}/vm.img`,
      to: `${to}/vm.img`,
      [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
    };
  }

  test("says how much was reused", async () => {
    await using opened = await open();
    const { site, from, to } = opened;
    const { stdout, exitCode } = await site.run(method, "vm.img", "--overwrite", "--digest");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("vm.img (5.2 MB, 5.2 MB reused, verified)");
    expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
  });

  test("says so to a program, and with --whole-file moves all of it", async () => {
    await using opened = await open();
    const { site, from, to } = opened;
    const reused = OLD.length - 16_384;
    const first = await site.run(method, "vm.img", "--overwrite", "--json");
    expect(first.stdout).toContain(`"reused":${reused}`);
    expect(finished(first.stdout)).toMatchObject({ event: "finished", stored: 1, bytes: OLD.length, reused });
    change(from, 2 * MIB);
    utimesSync(from, 1_600_000_100, 1_600_000_100);
    const second = await site.run(method, "vm.img", "--overwrite", "-W", "--json");
    expect(finished(second.stdout)).toMatchObject({ event: "finished", stored: 1, bytes: OLD.length });
    expect(second.stdout).not.toContain("reused");
    expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
  });
});

test("sync updates by what has changed, also when the old file is kept", async () => {
  await using site = await FolderSite.open();
  writeFileSync(`${site.here}/vm.img`, OLD);
  expect(await site.run("sync", ".", ":m")).toMatchObject({ exitCode: 0 });
  change(`${site.here}/vm.img`);
  const sent = await site.run("sync", ".", ":m", "--backup-dir", ":old");
  expect(sent.stdout).toContain("Updated vm.img (5.2 MB, 5.2 MB reused)");
  expect(sent.stderr).toContain("5.2 MB reused");
  expect(readFileSync(`${site.repository}/old/vm.img`).equals(OLD)).toBe(true);
  change(`${site.repository}/m/vm.img`, MIB);
  utimesSync(`${site.repository}/m/vm.img`, 1_600_000_200, 1_600_000_200);
  const fetched = await site.run("sync", ":m", ".");
  expect(fetched.stdout).toContain("Updated vm.img (5.2 MB, 5.2 MB reused)");
  expect(readFileSync(`${site.here}/vm.img`).equals(readFileSync(`${site.repository}/m/vm.img`))).toBe(true);
});

test.each(["get", "put"] as const)("after kill -9 in the middle, %s goes on with what is missing", async (method) => {
  await using site = await FolderSite.open();
  const [from, to] = method === "get" ? [site.repository, site.here] : [site.here, site.repository];
  const old = noise(12 * MIB, 3);
  const now = Buffer.from(old);
  // The last blocks are other ones: with the rate they take a while.
  noise(6 * MIB, 9).copy(now, 6 * MIB);
  now.write("changed", 5);
  writeFileSync(`${from}/vm.img`, now);
  utimesSync(`${from}/vm.img`, 1_600_000_000, 1_600_000_000);
  writeFileSync(`${to}/vm.img`, old);
  const args = [method, "vm.img", "--overwrite", "--json", "-s", site.address];
  const { client } = await binaries();
  const options = { cwd: site.here, env: USER_ENV, stdout: "ignore", stderr: "ignore" } as const;
  const killed = Bun.spawn([client, ...args, "--limit-rate", "1M"], options);
  const part = `${to}/vm.img.commserver-part`;
  await until(() => existsSync(part) && statSync(part).size > 7 * MIB);
  killed.kill(9);
  await killed.exited;
  expect(readFileSync(`${to}/vm.img`).equals(old)).toBe(true);
  const again = await until(async () => {
    const result = await site.run(...args.slice(0, -2));
    return result.exitCode === 8 ? undefined : result;
  });
  expect(again).toMatchObject({ exitCode: 0 });
  expect(again.stdout).toContain('"present":');
  const { reused = 0 } = finished(again.stdout);
  expect(reused).toBeLessThan(6 * MIB);
  expect(readFileSync(`${to}/vm.img`).equals(now)).toBe(true);
});
