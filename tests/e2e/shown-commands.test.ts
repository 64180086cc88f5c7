import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { type Finished, run } from "../support/processes.ts";
import { Program } from "../support/program.ts";
import { TempFolder } from "../support/temp-folder.ts";

/** A state folder whose name the shell would take apart. */
const STATE = "my state's";
let folder: TempFolder;
let env: Record<string, string>;

beforeAll(async () => {
  folder = new TempFolder();
  const programs = await binaries();
  for (const name of ["bin", "repo", "home"]) mkdirSync(folder.join(name));
  writeFileSync(folder.join("repo/a.txt"), "alpha");
  for (const name of ["client", "server"] as const) {
    writeFileSync(folder.join(`bin/commserver-${name}`), `#!/bin/sh\nexec ${programs[name]} "$@"\n`);
    chmodSync(folder.join(`bin/commserver-${name}`), 0o755);
  }
  env = { PATH: `${folder.join("bin")}:${process.env["PATH"]}`, XDG_STATE_HOME: folder.join("home") };
}, 180_000);
afterAll(() => folder[Symbol.dispose]());

/** As a person would type it. */
function type(command: string): Promise<Finished> {
  return run(["/bin/sh", "-c", command], { cwd: folder.path, env });
}

/** The command in the text that begins so, up to the end of its line. */
function commandIn(text: string, beginning: string): string {
  const found = text.split("\n").find((line) => line.includes(beginning));
  if (found === undefined) throw new Error(`no ${beginning} in ${text}`);
  return found.slice(found.indexOf(beginning));
}

test("the commands that the programs tell to type are complete, and do what they say", async () => {
  const early = await type(`commserver-server token add early --state-dir "other state"`);
  expect(early.exitCode).toBe(0);
  expect(early.stderr).toContain("No server has ever run with the state folder");
  expect(early.stderr).toContain(`commserver-server --repository DIR --state-dir '${folder.join("other state")}'`);

  const state = folder.join(STATE);
  await using server = new Program(
    ["commserver-server", "--port", "0", "-r", folder.join("repo"), "--state-dir", state, "--host", "127.0.0.1"],
    { env, cwd: folder.path },
  );
  const connect = await server.hear((line) => line.includes("commserver-client --server"));
  const making = commandIn(await server.hear((line) => line.includes("Make an invite")), "commserver-server token add");
  const made = await type(making.replace("NAME", "laptop"));
  expect(made).toMatchObject({ exitCode: 0, stderr: "" });

  // The server on the page is the one that runs: its token comes in.
  const book = `--state-dir "their book"`;
  expect((await type(`commserver-client servers ${book}`)).stderr).toContain(
    "commserver-client join INVITE --state-dir 'their book'",
  );
  const joining = commandIn(made.stdout, "commserver-client join");
  const joined = await type(`${joining} ${book} --name lab`);
  expect(joined.exitCode).toBe(0);
  const talk = commandIn(joined.stdout, "commserver-client --server lab");
  expect((await type(`echo hello | ${talk}`)).stdout).toContain("hello ACK");

  const status = await type(`commserver-client status --limit 1 --server lab ${book}`);
  const more = commandIn(status.stdout, "commserver-client status");
  expect((await type(more)).stdout).toContain("Client02");
  const missing = await type(`commserver-client get none -s lab ${book}`);
  expect((await type(commandIn(missing.stderr, "commserver-client list"))).stdout).toContain("a.txt");
  const nobody = await type(`commserver-client send x --to Nobody --server=lab ${book}`);
  expect((await type(commandIn(nobody.stderr, "commserver-client status"))).exitCode).toBe(0);
  const unknown = await type(`commserver-server token revoke none --state-dir "${state}"`);
  expect((await type(commandIn(unknown.stderr, "commserver-server token list"))).stdout).toContain("laptop");
  const forgotten = await type(`commserver-client forget none ${book}`);
  expect((await type(commandIn(forgotten.stderr, "commserver-client servers"))).stdout).toContain("lab");
  // Of the same user on the same machine.
  expect((await type(`echo hello | ${commandIn(connect, "commserver-client")}`)).stdout).toContain("hello ACK");
  server.signal("SIGTERM");
  expect((await server.ended()).exitCode).toBe(0);
}, 180_000);
