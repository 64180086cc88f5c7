/** A server whose repository holds its own keys: what is promised of that, by the programs themselves. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { cpSync, existsSync, linkSync, mkdirSync, readFileSync, renameSync, symlinkSync } from "node:fs";
import { errorOf } from "../support/access-site.ts";
import { binaries } from "../support/binaries.ts";
import { contentOf, STATE_PATH } from "../support/private-site.ts";
import { type Finished, run } from "../support/processes.ts";
import { Program } from "../support/program.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";

let folder: TempFolder;
let home: string;

beforeEach(() => {
  folder = new TempFolder();
  home = folder.join("home");
  writeTree(home, { "docs/a.txt": "public\n", ".local/share/b.txt": "public\n" });
  mkdirSync(folder.join("away"));
});

afterEach(() => folder[Symbol.dispose]());

/** A server of the user at home, started there. */
class Server implements AsyncDisposable {
  readonly #program: Program;
  readonly #client: string;
  readonly listening: Record<string, any>;
  readonly #invite: string;

  private constructor(program: Program, client: string, listening: Record<string, any>, invite: string) {
    this.#program = program;
    this.#client = client;
    this.listening = listening;
    this.#invite = invite;
  }

  static async start(args: string[], env: Record<string, string> = { HOME: home }, invite?: string): Promise<Server> {
    const { server, client } = await binaries();
    const command = [server, "--port", "0", "--host", "127.0.0.1", "--json", "--writable", ...args];
    const program = new Program(command, { cwd: home, env });
    const listening = await program.event("listening");
    return new Server(program, client, listening, listening["invite"] ?? invite);
  }

  get invite(): string {
    return this.#invite;
  }

  /** Of a user who has nothing but the invite. */
  client(...args: string[]): Promise<Finished> {
    const env = { HOME: folder.join("away"), COMMSERVER_INVITE: this.#invite };
    return run([this.#client, ...args], { cwd: folder.join("away"), env });
  }

  /** The code that a command fails with, or its exit code 0. */
  async code(...args: string[]): Promise<string | number> {
    const finished = await this.client(...args, "--json");
    if (finished.exitCode === 0) return 0;
    const failed = finished.stdout.split("\n").find((line) => line.startsWith('{"event":"failed"'));
    return failed === undefined ? errorOf(finished).code : JSON.parse(failed).code;
  }

  async warnings(): Promise<string[]> {
    await this.#program.event("warning");
    return this.#program.events.filter(({ event }) => event === "warning").map(({ message }) => message);
  }

  async stop(): Promise<void> {
    this.#program.signal("SIGTERM");
    await this.#program.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}

/** What nobody may see: of every file in the state folder that has any, its first letters. */
function secrets(state: string): string[] {
  return Object.entries(contentOf(state))
    .filter(([name, content]) => !name.endsWith("/.commserver-state") && content.length > 0)
    .map(([, content]) => content.slice(0, 40));
}

/** Try all that a client with the role "write" can do about the state folder at `path` in the repository. */
async function attack(server: Server, path: string): Promise<void> {
  const listed = await server.client("list");
  expect(listed).toMatchObject({ exitCode: 0, stderr: "" });
  for (const pattern of ["**/*.pem", "**/*.json", "**/*.sqlite*", `${path}/**`, `${path}*`, "{.*,**}/*"]) {
    const { stdout } = await server.client("list", pattern);
    expect({ pattern, stdout }).toEqual({ pattern, stdout: expect.not.stringMatching(/identity|tokens|ledger/) });
  }
  expect(listed.stdout).toContain("docs/a.txt");
  expect(listed.stdout).not.toMatch(/identity|tokens|ledger|operator\.sock/);
  expect(await server.code("get", ".", "-o", "everything/")).toBe(0);
  expect(existsSync(folder.join("away/everything", path))).toBe(false);
  expect(existsSync(folder.join("away/everything/docs/a.txt"))).toBe(true);

  writeTree(folder.join("away"), { "tokens.json": '{"version":1,"tokens":[]}', "x/tokens.json": "{}" });
  const above = path.split("/").map((_, at, names) => names.slice(0, at).join("/"));
  const tries: string[][] = [
    ["get", path, "-o", "stolen/"],
    ...["identity.pem", "tokens.json", "ledger.sqlite", "missing"].flatMap((name) => [
      ["get", `${path}/${name}`, "-o", "stolen/"],
      ["digest", `${path}/${name}`],
      ["list", `${path}/${name}`],
    ]),
    ["list", path],
    ["put", "tokens.json", "--to", path, "--overwrite"],
    ["put", "x", "--to", path, "--overwrite"],
    ["rename", `${path}/tokens.json`, "mine.json"],
    ["rename", path, "mine"],
    ["rename", "docs/a.txt", `${path}/tokens.json`, "--overwrite"],
    ["remove", `${path}/tokens.json`],
    ["remove", path, "--recursive"],
    ...above.filter(Boolean).flatMap((each) => [
      ["rename", each, "mine"],
      ["remove", each, "--recursive"],
    ]),
  ];
  for (const command of tries)
    expect({ command, code: await server.code(...command) }).toEqual({ command, code: "NOT_ALLOWED" });
  expect(existsSync(folder.join("away/stolen/identity.pem"))).toBe(false);
}

describe("a server of the home that it keeps its state in", () => {
  test.each([
    ["where it is by itself", [], false, STATE_PATH, STATE_PATH],
    ["where XDG_STATE_HOME says", [], true, "xdg/commserver", "xdg/commserver"],
    ["where --state-dir says", ["--state-dir", "my state"], false, "my state", STATE_PATH],
  ])(
    "says so, and gives nobody anything of it: %s",
    async (_, args, hasXdg, path, local) => {
      const env = { HOME: home, ...(hasXdg && { XDG_STATE_HOME: `${home}/xdg` }) };
      await using server = await Server.start(["-r", ".", ...args], env);
      expect((await server.warnings()).join()).toContain(`"${home}/${path}"`);
      const before = secrets(`${home}/${path}`);
      expect(before.length).toBeGreaterThan(2);
      await attack(server, path);
      expect(readFileSync(`${home}/${path}/identity.pem`, "utf8")).toContain("PRIVATE KEY");
      expect(readFileSync(`${home}/docs/a.txt`, "utf8")).toBe("public\n");
      // And what an invite is made of for the user's own terminals.
      expect(await server.code("get", `${local}/local/${server.listening["port"]}.json`)).toBe("NOT_ALLOWED");
    },
    120_000,
  );

  test("is the same server after the next start: who may write is no operator", async () => {
    await using first = await Server.start(["-r", "."]);
    await attack(first, STATE_PATH);
    await first.stop();
    const port = `${first.listening["port"]}`;
    await using server = await Server.start(["-r", ".", "--port", port], { HOME: home }, first.invite);
    expect(server.listening).toMatchObject({ invite: null, fingerprint: first.listening["fingerprint"] });
    expect(await server.code("list")).toBe(0);
    expect((await server.client("status", "--json")).stdout).not.toContain("operator");
  }, 180_000);

  test("keeps out what it leaves for its user's terminals when its own state is elsewhere", async () => {
    await using server = await Server.start(["-r", ".", "--state-dir", folder.join("elsewhere")]);
    expect((await server.warnings()).join()).toContain(STATE_PATH);
    const path = `${STATE_PATH}/local/${server.listening["port"]}.json`;
    expect(existsSync(`${home}/${path}`)).toBe(true);
    for (const each of [path, STATE_PATH, `${STATE_PATH}/local`]) {
      expect(await server.code("get", each, "-o", "stolen/")).toBe("NOT_ALLOWED");
    }
  });

  test("through links, hard links, and a copy of it that somebody has made", async () => {
    await using server = await Server.start(["-r", "."]);
    symlinkSync(STATE_PATH, `${home}/link`);
    symlinkSync(`${STATE_PATH}/identity.pem`, `${home}/key`);
    linkSync(`${home}/${STATE_PATH}/identity.pem`, `${home}/docs/hard.pem`);
    cpSync(`${home}/${STATE_PATH}`, `${home}/backup/commserver`, {
      recursive: true,
      filter: (name) => !name.endsWith(".sock"),
    });
    for (const path of ["link/identity.pem", "key", "docs/hard.pem", "backup/commserver/identity.pem"]) {
      expect({ path, code: await server.code("get", path, "-o", "stolen/") }).toEqual({ path, code: "NOT_ALLOWED" });
      expect({ path, code: await server.code("digest", path) }).toEqual({ path, code: "NOT_ALLOWED" });
    }
    const { stdout } = await server.client("list", "**/*.pem");
    expect(stdout).toBe("");
  });
});

describe("another server's state folder in the repository", () => {
  test("is none of this server's business, whether that one runs or not", async () => {
    await using other = await Server.start(["-r", folder.join("away"), "--state-dir", "srv/other"]);
    await using server = await Server.start(["-r", ".", "--state-dir", folder.join("elsewhere")]);
    for (const path of ["srv/other", "srv/other/identity.pem", "srv/other/tokens.json"]) {
      expect(await server.code("get", path, "-o", "stolen/")).toBe("NOT_ALLOWED");
      expect(await server.code("remove", path, "--recursive")).toBe("NOT_ALLOWED");
    }
    await other.stop();
    expect(await server.code("get", "srv/other/identity.pem", "-o", "stolen/")).toBe("NOT_ALLOWED");
    expect((await server.client("list", "srv")).stdout).toBe("");
    writeTree(home, { "srv/a.txt": "public\n" });
    for (const command of [
      ["remove", "srv", "--recursive"],
      ["rename", "srv", "mine"],
    ]) {
      expect(await server.code(...command)).toBe("NOT_ALLOWED");
    }
    expect(existsSync(`${home}/srv/other/identity.pem`)).toBe(true);
    expect(existsSync(`${home}/srv/a.txt`)).toBe(true);
    expect((await server.warnings()).join()).toContain(`"${home}/srv/other"`);
  });

  test("is none from the moment that it is made, or moved in", async () => {
    await using server = await Server.start(["-r", ".", "--state-dir", folder.join("elsewhere")]);
    const { server: program } = await binaries();
    const made = await run([program, "identity", "--state-dir", `${home}/made`], { env: { HOME: home } });
    expect(made.exitCode).toBe(0);
    await run([program, "identity", "--state-dir", folder.join("moved")], { env: { HOME: home } });
    renameSync(folder.join("moved"), `${home}/moved`);
    for (const path of ["made", "moved"]) {
      expect(await server.code("get", `${path}/identity.pem`, "-o", "stolen/")).toBe("NOT_ALLOWED");
    }
    expect((await server.client("list", "*/*.pem")).stdout).toBe("");
  });
});

describe("a repository that is, or lies in, a state folder", () => {
  test.each(["", "servers", "mine/files"])("is refused at the start, in words: %p of it", async (below) => {
    const { server } = await binaries();
    mkdirSync(`${home}/${STATE_PATH}/${below}`, { recursive: true });
    const repository = `${home}/${STATE_PATH}/${below}`;
    const { exitCode, stdout, stderr } = await run([server, "-r", repository, "--port", "0"], { env: { HOME: home } });
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: "" });
    expect(stderr).toContain("keeps its own keys");
    expect(stderr).toContain("--state-dir");
    const json = await run([server, "-r", repository, "--port", "0", "--json"], { env: { HOME: home } });
    expect(errorOf(json)).toMatchObject({ code: "OWN_STATE", exit: 5 });
  });

  test("leaves no mark in a folder that was named twice by mistake: it can be served afterwards", async () => {
    const { server } = await binaries();
    const twice = await run([server, "-r", "docs", "--state-dir", "docs", "--port", "0"], {
      cwd: home,
      env: { HOME: home },
    });
    expect(twice.exitCode).toBe(5);
    await using again = await Server.start(["-r", "docs"]);
    expect((await again.client("list")).stdout).toContain("a.txt");
  });
});

describe("the certificate and the key of a server that lie in the repository", () => {
  test("are no part of it, and the server says so", async () => {
    const { server: program } = await binaries();
    await run([program, "identity", "--state-dir", folder.join("maker")], { env: { HOME: home } });
    const pem = readFileSync(folder.join("maker/identity.pem"), "utf8");
    writeTree(home, { "tls/key.pem": pem, "tls/cert.pem": pem, "tls/readme.txt": "public\n" });
    const args = ["-r", ".", "--state-dir", folder.join("elsewhere"), "--open"];
    await using server = await Server.start([...args, "--cert", "tls/cert.pem", "--key", "tls/key.pem"]);
    const warnings = (await server.warnings()).join();
    for (const name of ["cert.pem", "key.pem"]) expect(warnings).toContain(`"${home}/tls/${name}"`);

    const env = { HOME: folder.join("away"), COMMSERVER_TOKEN: "" };
    const { client } = await binaries();
    const ask = (...words: string[]) =>
      run([client, ...words, "-s", `127.0.0.1:${server.listening["port"]}`, "--accept-new", "--json"], {
        cwd: folder.join("away"),
        env,
      });
    expect((await ask("list", "tls")).stdout).not.toMatch(/key\.pem|cert\.pem/);
    for (const name of ["cert.pem", "key.pem"]) {
      expect((await ask("get", `tls/${name}`)).stdout).toContain("NOT_ALLOWED");
    }
    expect((await ask("get", "tls/readme.txt")).exitCode).toBe(0);
  });
});
