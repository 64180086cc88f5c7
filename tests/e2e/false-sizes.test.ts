/** Files of /proc and /sys say a size that is not so: never a false "verified". */

import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { runClient } from "../support/processes.ts";
import { TransferSite } from "../support/transfer-site.ts";

describe.skipIf(process.platform !== "linux")("a file that holds other than it says", () => {
  test.each(["/proc/meminfo", "/sys/class/net/lo/mtu"])("put %s is refused by name", async (path) => {
    await using site = await TransferSite.open({});
    const { exitCode, stdout, stderr } = await site.run("put", path);
    expect(stdout).not.toContain("verified");
    expect(stderr).toContain("but its content is made while it is read");
    expect(exitCode).toBe(2);
    expect(readdirSync(site.repository)).toEqual([]);
  });

  test("get of one is refused by a server of /proc", async () => {
    await using site = await TransferSite.open({}, ["-r", "/proc/sys/kernel"]);
    const { exitCode, stdout, stderr } = await runClient(["get", "ostype", "-s", site.server.address], {
      cwd: site.here,
    });
    expect(stdout).not.toContain("verified");
    expect(stderr).toContain('"ostype" reports 0 bytes');
    expect(exitCode).toBe(2);
  });
});
