import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { AccessSite, errorOf } from "../support/access-site.ts";
import { binaries } from "../support/binaries.ts";
import { type Finished, run } from "../support/processes.ts";

let site: AccessSite;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  site = await AccessSite.start();
  for (const role of ["read", "write", "operator"]) {
    const { stdout } = await site.operate("token", "add", role, "--role", role, "--json");
    Object.assign(tokens, { [role]: JSON.parse(stdout).token });
  }
}, 180_000);
afterAll(() => site[Symbol.asyncDispose]());

/** The console of a person of another home, over the network. */
async function operate(token: string | undefined, ...words: string[]): Promise<Finished> {
  const { server } = await binaries();
  const env = { ...site.env, ...(token !== undefined && { COMMSERVER_TOKEN: token }) };
  return run([server, "console", "--server", site.address, "--accept-new", "--json", ...words], { env });
}

describe("the console over the network", () => {
  test("works with an operator's token", async () => {
    const status = await operate(tokens["operator"], "status");
    expect(status).toMatchObject({ exitCode: 0, stderr: "" });
    expect(status.stdout).toContain("Operator");
    expect((await operate(tokens["operator"], "token", "list")).stdout).toContain("operator");
    const { stdout } = await operate(tokens["operator"], "token", "add", "made");
    expect(stdout).toContain("commserver-client join csinvite1_");
    expect((await operate(tokens["operator"], "token", "revoke", "made")).exitCode).toBe(0);
  });

  test.each(["read", "write"])("says which role a token has that may not: %s", async (role) => {
    const refused = await operate(tokens[role], "status");
    expect(errorOf(refused)).toMatchObject({
      code: "NOT_ALLOWED",
      exit: 5,
      message: `This token has the role "${role}"; the console needs "operator".`,
    });
    expect(refused.stdout).toBe("");
  });

  test.each([
    ["no token", undefined, "TOKEN_REQUIRED"],
    ["a wrong one", `operator:${"w".repeat(43)}`, "ACCESS_DENIED"],
  ])("is closed to who has %s", async (_, token, code) => {
    expect(errorOf(await operate(token, "drain"))).toMatchObject({ code, exit: 5 });
  });

  test("checks who the server is, as a client does", async () => {
    const { server } = await binaries();
    const env = { XDG_STATE_HOME: site.folder.join("another"), COMMSERVER_TOKEN: tokens["operator"] as string };
    const refused = await run([server, "console", "--server", site.address, "--json", "status"], { env });
    expect(errorOf(refused)).toMatchObject({ code: "UNKNOWN_IDENTITY", exit: 5 });
  });

  test("by its own user's local invite is not an operator: that is the socket's business", async () => {
    const { server } = await binaries();
    const command = [server, "console", "--server", site.address, "--json", "status"];
    expect(errorOf(await run(command, { env: site.ownerEnv }))).toMatchObject({ code: "NOT_ALLOWED", exit: 5 });
    expect((await site.operate("console", "status")).exitCode).toBe(0);
  });
});
