import { expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

test.each(["the server is lost", "it is interrupted"])(
  "put of standard input says, when %s, that nothing but the whole input helps",
  async (how) => {
    await using site = await TransferSite.open({}, ["--writable", "--limit-rate", "1MB"]);
    const { client } = await binaries();
    writeFileSync(join(site.here, "input"), "b".repeat(6 * 1024 * 1024));
    const args = ["put", "-", "--as", "big.bin", "--reconnect", "0", "-s", site.server.address];
    const command = ["sh", "-c", 'exec "$0" "$@" < input', client, ...args];
    await using sending = new Program(command, { cwd: site.here });
    await until(() => readdirSync(site.repository).some((name) => name.endsWith(".commserver-part")));
    if (how === "it is interrupted") sending.signal("SIGINT");
    else site.server.signal("SIGKILL");
    const { exitCode, stderr } = await sending.ended();
    expect(exitCode).toBe(how === "it is interrupted" ? 130 : 3);
    expect(stderr).toContain("Standard input can't be read again: run the command again with all of it.");
    expect(stderr).not.toContain("resumes");
  },
);
