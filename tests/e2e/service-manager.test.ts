/** A server that a service manager starts, as systemd does. By the compiled programs; packaging/systemd has the units. */
import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { binaries } from "../support/binaries.ts";
import { runClient, USER_ENV } from "../support/processes.ts";
import { Program } from "../support/program.ts";
import { python } from "../support/python.ts";
import { TempFolder } from "../support/temp-folder.ts";

const ROOT = join(import.meta.dir, "../..");

beforeAll(async () => {
  await binaries();
}, 180_000);

/** A server below a manager; its datagrams and the manager's own records are lines of the program. */
async function managed(folder: TempFolder, mode: "own" | "inherit", socket = folder.join("notify")): Promise<Program> {
  const { server } = await binaries();
  const flags = ["-r", join(ROOT, "repository"), "--open", "--state-dir", folder.join("state"), "--port", "0"];
  const log = ["--log-file", folder.join("log"), "--host", "127.0.0.1"];
  const env = { ...USER_ENV, PATH: String(process.env["PATH"]) };
  const script = join(ROOT, "tests/support/service-manager.py");
  return new Program(python(script, socket, mode, server, ...flags, ...log), { env });
}

const tells =
  (...words: string[]) =>
  (line: string) =>
    words.every((word) => line.includes(word));

describe.skipIf(process.platform !== "linux")("a server below a service manager", () => {
  test("says that it is ready, alive, how many are here, and that it stops", async () => {
    using folder = new TempFolder();
    await using manager = await managed(folder, "own");
    await manager.hear(tells('"READY=1"', "STATUS=0 of 3 seats taken"));
    await manager.hear(tells('"WATCHDOG=1"'));
    await manager.hear(tells('"WATCHDOG=1"'));
    const { address } = JSON.parse(readFileSync(folder.join("log"), "utf8").split("\n")[0] as string);
    const watching = new Program([(await binaries()).client, "watch", "-s", address, "--accept-new"], {
      env: { ...USER_ENV, XDG_STATE_HOME: folder.join("client") },
    });
    await manager.hear(tells("STATUS=1 of 3 seats taken"));
    await watching[Symbol.asyncDispose]();
    manager.endInput();
    await manager.hear(tells('"STOPPING=1"', "EXTEND_TIMEOUT_USEC=20000000"));
    await manager.hear(tells('"exit": 0'));
    expect((await manager.ended()).exitCode).toBe(0);
  });

  test("takes an abstract socket, and says that it reads its files again", async () => {
    using folder = new TempFolder();
    await using manager = await managed(folder, "own", `@commserver-test-${process.pid}-${Date.now()}`);
    const { pid } = JSON.parse(await manager.hear(tells('"pid"')));
    await manager.hear(tells('"READY=1"'));
    process.kill(pid, "SIGHUP");
    await manager.hear(tells('"RELOADING=1"', "MONOTONIC_USEC="));
    await manager.hear(tells('"READY=1"'));
    manager.endInput();
    await manager.hear(tells('"exit": 0'));
  });

  test("serves at the socket that it was given, and says where that is", async () => {
    using folder = new TempFolder();
    await using manager = await managed(folder, "inherit");
    const { port } = JSON.parse(await manager.hear(tells('"port"')));
    await manager.hear(tells('"READY=1"'));
    const env = { XDG_STATE_HOME: folder.join("client") };
    const listed = await runClient(["list", "-s", `127.0.0.1:${port}`, "--accept-new"], { env });
    expect(listed.stdout).toContain("welcome.txt");
    const { address } = JSON.parse(readFileSync(folder.join("log"), "utf8").split("\n")[0] as string);
    expect(address).toBe(`127.0.0.1:${port}`);
    manager.endInput();
    await manager.hear(tells('"exit": 0'));
  });
});

const noSystemd = Bun.which("systemd-analyze") === null && process.env["CI"] === undefined;

describe.skipIf(noSystemd)(noSystemd ? "the units (skipped: there is no systemd-analyze here)" : "the units", () => {
  test("are understood by systemd", async () => {
    using folder = new TempFolder();
    for (const name of ["commserver.service", "commserver.socket"]) {
      const unit = readFileSync(join(ROOT, "packaging/systemd", name), "utf8");
      const here = unit.replaceAll("/usr/bin/commserver-server", "/bin/true").replace(/^Documentation=.*\n/gm, "");
      await Bun.write(folder.join(name), here);
    }
    const units = [folder.join("commserver.service"), folder.join("commserver.socket")];
    const { stderr, exitCode } = Bun.spawnSync(["systemd-analyze", "verify", "--man=no", ...units]);
    expect({
      exitCode,
      complaints: stderr
        .toString()
        .split("\n")
        .filter((line) => line.includes("commserver")),
    }).toEqual({
      exitCode: 0,
      complaints: [],
    });
  });
});

test("the settings that are installed are those of a server", async () => {
  const { server } = await binaries();
  const shown = Bun.spawnSync([server, "config", "--json", "--config", join(ROOT, "packaging/service.toml")], {
    env: { ...USER_ENV },
  });
  expect(JSON.parse(shown.stdout.toString()).settings["repository"]).toMatchObject({
    value: "/var/lib/commserver/files",
  });
});
