import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { Program } from "../support/program.ts";
import { TransferSite } from "../support/transfer-site.ts";
import { until } from "../support/until.ts";

test("a lost link that ends a transfer says what is kept, and how to go on", async () => {
  await using site = await TransferSite.open({ "big.bin": "b".repeat(6 * 1024 * 1024) }, ["--limit-rate", "1MB"]);
  const { client } = await binaries();
  const args = ["get", "big.bin", "--reconnect", "0", "-s", site.server.address];
  await using fetching = new Program([client, ...args], { cwd: site.here });
  await until(() => readdirSync(site.here).some((name) => name.endsWith(".commserver-part")));
  site.server.signal("SIGKILL");
  const { exitCode, stderr } = await fetching.ended();
  expect(exitCode).toBe(3);
  expect(stderr).toContain("What has arrived is kept: the same command resumes it.");
});
