/** Disks, and systems, that let nobody set times or rights: the bytes are stored all the same, and it is told once. */
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { binaries } from "../support/binaries.ts";
import { isSkipped, launched, missingLauncher, namedWhy, type Refused } from "../support/launched.ts";
import { run, ServerProcess } from "../support/processes.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { digestsOf } from "../support/transfers.ts";
import { noise } from "../support/transport-recorder.ts";

const CALLS = ["chmod", "fchmod", "fchmodat", "utimensat"].filter((call) => call !== "chmod" || process.arch === "x64");
const FILES = { small: "small", other: "other", large: noise(2_500_000), "folder/inner": "inner" };

describe.each(["EPERM", "ENOSYS"])("where times and rights can't be set (%s)", (error) => {
  const refused = CALLS.map((call) => `${call}=${error}` as Refused);
  const missing = missingLauncher(refused);

  test.skipIf(isSkipped(missing)).each(["get", "put"] as const)(
    namedWhy("all files of a %s are stored, new and in the place of others, and it is told once", missing),
    async (method) => {
      using folder = new TempFolder();
      const [from, to] = [folder.join("from"), folder.join("to")];
      for (const place of [from, to]) mkdirSync(place);
      writeTree(from, FILES);
      chmodSync(join(from, "large"), 0o400);
      chmodSync(join(from, "small"), 0o755);
      writeTree(to, { other: "was there", large: "was there, too" });
      const programs = await binaries();
      const isGet = method === "get";
      await using server = await ServerProcess.start(["-r", isGet ? from : to, "--writable"], {
        program: isGet ? [programs.server] : launched(refused, [programs.server]),
      });
      const client = [programs.client, method, ...Object.keys(FILES).map((path) => path.split("/")[0] ?? "")];
      const command = [...client, "--overwrite", "-s", server.address];
      const { exitCode, stderr } = await run(isGet ? launched(refused, command) : command, { cwd: isGet ? to : from });
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
      const [sent, stored] = await Promise.all([from, to].map(async (at) => digestsOf(await LocalStorage.ofUser(at))));
      expect(stored).toEqual(sent ?? {});
      expect(readdirSync(to).sort()).toEqual(["folder", "large", "other", "small"]);
      server.signal("SIGTERM");
      await server.exited();
      const lines = isGet ? stderr.split("\n") : server.events.map(({ message }) => String(message));
      for (const what of ["set times", "set permissions"]) {
        expect(lines.filter((line) => line.includes(what))).toHaveLength(1);
      }
    },
  );
});
