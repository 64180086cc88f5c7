/** Users whom nothing can be kept for: without a home, as in containers and services, or with one that is read-only. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { OtherUser } from "../support/other-user.ts";
import { type Finished, ServerProcess } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { noPermissionTests, permissionTest } from "../support/unprivileged.ts";

/** A user id that no list of users has. */
const NOBODY_AT_ALL = 54_321;
const REPOSITORY = `${import.meta.dir}/../../repository`;

let user: OtherUser;

beforeAll(async () => {
  user = await OtherUser.of(NOBODY_AT_ALL);
}, 180_000);

afterAll(() => user[Symbol.dispose]());

/** Run a program as that user, with nothing but `env`. */
function homeless(program: "client" | "server", args: string[], env = {}): Promise<Finished> {
  return user.run(program, args, { env });
}

describe.skipIf(noPermissionTests !== undefined)("a user without a home", () => {
  test(permissionTest("is told what to do, by both programs, and reports no defect"), async () => {
    for (const [program, args] of [
      ["client", ["servers"]],
      ["client", ["list"]],
      ["server", ["identity"]],
      ["server", ["--repository", REPOSITORY, "--port", "0"]],
    ] as const) {
      const { exitCode, stderr } = await homeless(program, [...args]);
      expect(stderr).toContain("no home folder to keep state in: name a folder with --state-dir");
      expect(stderr).not.toContain("defect");
      expect(exitCode).toBe(9);
    }
  });

  test(permissionTest("needs no more than --state-dir, or XDG_STATE_HOME"), async () => {
    await using server = await ServerProcess.start(["--repository", REPOSITORY, "--open"]);
    using folder = new TempFolder();
    chmodSync(folder.path, 0o777);
    const list = ["list", "--server", server.address, "--accept-new"];
    const given = await homeless("client", [...list, "--state-dir", folder.join("state")]);
    expect(given).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("welcome.txt") });
    const found = await homeless("client", list, { XDG_STATE_HOME: folder.join("xdg") });
    expect(found).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("welcome.txt") });
  });

  test(permissionTest("with a state folder that is read-only reads, and is told what can't be kept"), async () => {
    await using server = await ServerProcess.start(["--repository", REPOSITORY, "--open"]);
    using folder = new TempFolder();
    chmodSync(folder.path, 0o555);
    const { exitCode, stdout, stderr } = await homeless("client", [
      ...["list", "--server", server.address, "--accept-new", "--state-dir", folder.join("state")],
    ]);
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("welcome.txt") });
    expect(stderr).toContain("can't be saved");
  });
});
