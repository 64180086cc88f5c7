import { beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { relative } from "node:path";
import { binaries } from "../support/binaries.ts";
import { ServerProcess } from "../support/processes.ts";
import { clientCommand, OPEN_FLAGS, Program } from "../support/program.ts";
import { Random } from "../support/random.ts";
import { BLOCK } from "../support/raw-chunks.ts";
import { writeTree } from "../support/repository.ts";
import { Screen } from "../support/screen.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { sha256Of } from "../support/transfers.ts";
import { until } from "../support/until.ts";

const random = new Random("faults-restart");
const UNFINISHED = /\.commserver-(part|journal)$|\.commserver-lock\//;

beforeAll(async () => {
  await binaries();
}, 180_000);

/** A repository with a large file and a tree of small ones, each of them more than the credit of a stream. */
class Site extends TempFolder implements AsyncDisposable {
  readonly repository = this.join("repository");
  readonly files: Record<string, Uint8Array> = { "large.bin": random.bytes(48 * BLOCK + 11) };
  #server: ServerProcess | undefined;

  constructor() {
    super();
    for (let index = 0; index < 1_500; index++) {
      this.files[`tree/${index % 10}/${index}.txt`] = random.bytes(4_000 + random.below(10_000));
    }
    writeTree(this.repository, this.files);
    for (const folder of ["large", "tree", "state"]) mkdirSync(this.join(folder));
  }

  get server(): ServerProcess {
    if (this.#server === undefined) throw new Error("No server was started.");
    return this.#server;
  }

  async start(...args: string[]): Promise<void> {
    const flags = [...OPEN_FLAGS, "-r", this.repository, "--max-clients", "5", ...args];
    this.#server = await ServerProcess.start(flags, { stateDir: this.join("state") });
  }

  /** End it by `signal`, and start another at the same port. */
  async restart(between: () => void, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const { port } = this.server;
    this.server.signal(signal);
    await this.server.exited();
    await this.server[Symbol.asyncDispose]();
    between();
    await this.start("--port", `${port}`);
  }

  async client(folder: string, command: string, ...args: string[]): Promise<Program> {
    const flags = command === "shell" ? [] : ["--json"];
    return new Program(await clientCommand(this.server.address, command, ...args, ...flags), {
      cwd: this.join(folder),
    });
  }

  /** What of the transfers has its name; all of it must be whole. */
  check(...folders: string[]): string[] {
    return (folders.length > 0 ? folders : ["large", "tree"]).flatMap((folder) => {
      const names = readdirSync(this.join(folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(this.join(folder), `${entry.parentPath}/${entry.name}`))
        .filter((name) => !UNFINISHED.test(name));
      for (const name of names) {
        const digest = sha256Of(readFileSync(this.join(folder, name)));
        expect([name, digest]).toEqual([name, sha256Of(this.files[name] ?? new Uint8Array(0))]);
      }
      return names;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this[Symbol.dispose]();
  }
}

/** Write to a file until the watch tells of it: the first change may come before it has begun. */
async function provokeChange(site: Site, watch: Program, name: string): Promise<void> {
  let round = 0;
  await until(() => {
    writeTree(site.repository, { [name]: "x".repeat(++round) });
    if (watch.isOver) throw new Error("the watch has ended");
    return watch.events.some(({ path }) => path === name);
  });
}

/** A client that was stopped in the middle of its get; when one was too fast for that, another is tried. */
async function stoppedMidway(site: Site, what: "large.bin" | "tree", sign: string): Promise<Program> {
  const folder = what === "tree" ? "tree" : "large";
  const wanted = Object.keys(site.files).filter((path) => path.startsWith(what)).length;
  for (;;) {
    const get = await site.client(folder, "get", what, "--reconnect", "60");
    await get.hear((line) => line.includes(sign));
    if ((await get.stop()) && site.check(folder).length < wanted) return get;
    get.signal("SIGCONT");
    expect(await get.ended()).toEqual({ exitCode: 0, stderr: "" });
    for (const name of readdirSync(site.join(folder))) rmSync(site.join(folder, name), { recursive: true });
  }
}

test("when the server is killed and started again, all clients come back by themselves and finish", async () => {
  await using site = new Site();
  await site.start();
  await using shell = await site.client("state", "shell");
  shell.say("hello");
  await shell.hear((line) => line.includes("hello ACK"));
  await using watch = await site.client("state", "watch");
  await provokeChange(site, watch, "seen-before");
  await using tree = await stoppedMidway(site, "tree", '"kind":"file"');
  await using large = await stoppedMidway(site, "large.bin", '"started"');

  const before = site.check();
  expect(before).not.toContain("large.bin");
  expect(before.length).toBeGreaterThan(0);
  await site.restart(() => {
    site.check();
    for (const get of [tree, large]) get.signal("SIGCONT");
  });
  site.check();

  for (const get of [tree, large]) {
    expect(await get.ended()).toEqual({ exitCode: 0, stderr: "" });
    expect(get.events.filter(({ event }) => event === "failed")).toEqual([]);
    expect(get.events.at(-1)).toMatchObject({ event: "finished", failed: 0 });
  }
  expect(site.check().sort()).toEqual(Object.keys(site.files).sort());
  expect(existsSync(site.join("large", "large.bin.commserver-part"))).toBe(false);

  await shell.hear((line) => line.includes("Connected again as "));
  shell.say("again");
  await shell.hear((line) => line.includes("again ACK"));
  await provokeChange(site, watch, "seen-after");
  await using status = await site.client("state", "status");
  expect(await status.ended()).toEqual({ exitCode: 0, stderr: "" });
  const sessions: { reason: string | null }[] = JSON.parse(status.lines[0] ?? "").sessions;
  expect(sessions.filter(({ reason }) => reason === "crash")).toHaveLength(4);
  expect(sessions.filter(({ reason }) => reason === null)).toHaveLength(3);

  watch.signal("SIGINT");
  expect(await watch.ended()).toEqual({ exitCode: 130, stderr: expect.stringContaining('"INTERRUPTED"') });
  shell.say("exit");
  const { exitCode } = await shell.ended();
  expect(exitCode).toBe(0);
}, 180_000);

test("the seat of a client that was killed is free after the grace time", async () => {
  await using site = new Site();
  await site.start("--max-clients", "1", "--grace", "8");
  await using get = await stoppedMidway(site, "large.bin", '"started"');
  await using waiting = await site.client("state", "list", "--wait");
  await site.server.event("waiting");
  get.signal("SIGKILL");
  const { name } = await site.server.event("away");
  await using refused = await site.client("state", "list");
  expect((await refused.ended()).exitCode).toBe(4);
  expect((await waiting.ended()).exitCode).toBe(0);
  await site.server.event("left", { reason: "exit" });
  const told = site.server.events.slice(site.server.events.findIndex(({ event }) => event === "away"));
  const kinds = told.map(({ event }) => event).filter((event) => event !== "failed");
  expect(kinds).toEqual(["away", "refused", "left", "joined", "left"]);
  expect(told.find(({ event }) => event === "left")).toMatchObject({ name, reason: "lost" });
}, 180_000);

test("a server that is stopped and started again, as by an upgrade, finds its clients again", async () => {
  await using site = new Site();
  await site.start();
  const { client } = await binaries();
  await using shell = new Screen([client, "--server", site.server.address], { cwd: site.join("state") });
  await shell.prompts("> ");
  await using watch = await site.client("state", "watch");
  await provokeChange(site, watch, "seen-before");
  await using mirror = await site.client("tree", "sync", ":tree/1", "mirror", "--watch");
  await mirror.event("finished");
  shell.type("half");
  await shell.prompts("half");
  await site.restart(() => {}, "SIGTERM");

  await shell.shows("The server is shutting down. Reconnecting for up to 60 s");
  await shell.shows("Connected again as ");
  shell.type(" a line\r");
  await shell.shows("half a line ACK");
  await provokeChange(site, watch, "seen-after");
  writeTree(site.repository, { "tree/1/after": "x" });
  await mirror.event("new", { path: "after" });
  shell.type("exit\r");
  expect(await shell.exited).toBe(0);
}, 180_000);
