import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { spawn } from "bun";
import { binaries } from "../support/binaries.ts";
import { ServerProcess, USER_ENV } from "../support/processes.ts";
import { Random } from "../support/random.ts";
import { BLOCK } from "../support/raw-chunks.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { sha256Of } from "../support/transfers.ts";
import { until } from "../support/until.ts";

/** Of these, one in four comes while the client may still be connecting, the others while the tree moves. */
const KILLS = 10;

const random = new Random("faults");
const UNFINISHED = /\.commserver-(part|journal)$|\.commserver-lock\//;

beforeAll(async () => {
  await binaries();
}, 180_000);

type Method = "get" | "put";

/** A source with small and large files, and targets, of which the present one begins empty. */
class Trees extends TempFolder {
  readonly source = this.join("source", "tree");
  readonly targets = this.join("targets");
  /** The name of the present target. */
  round = 0;
  readonly digests: ReadonlyMap<string, string>;

  constructor() {
    super();
    const files: Record<string, Uint8Array> = {
      "large1.bin": random.bytes(3 * BLOCK + 11),
      "sub/large2.bin": random.bytes(2 * BLOCK),
      "sub/empty": new Uint8Array(0),
    };
    for (let index = 0; index < 20; index++) files[`small/${index}.txt`] = random.bytes(1 + random.below(30_000));
    writeTree(this.source, files);
    this.digests = new Map(Object.entries(files).map(([path, content]) => [path, sha256Of(content)]));
    this.reset();
  }

  get target(): string {
    return join(this.targets, `${this.round}`);
  }

  /** Begin with another, empty target. */
  reset(): void {
    this.round++;
    mkdirSync(this.target, { recursive: true });
  }

  /** Every file under a real name in the target, by its path in the tree. */
  get names(): string[] {
    const root = join(this.target, "tree");
    if (!existsSync(root)) return [];
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  }

  /** What has a real name must be whole and right, whatever was killed. */
  check(): void {
    for (const path of this.names) {
      if (UNFINISHED.test(path)) continue;
      expect([path, sha256Of(readFileSync(join(this.target, "tree", path)))]).toEqual([
        path,
        this.digests.get(path) ?? "",
      ]);
    }
  }

  /**
   * All of it is there. What a kill has left unfinished may lie beside it, but no part of a large file: that has gone on
   * with what there was. (Its journal may, from a kill right after it got its name.)
   *
   * @returns how many unfinished files there are
   */
  checkWhole(): number {
    this.check();
    const names = this.names;
    expect(names.filter((name) => !UNFINISHED.test(name)).sort()).toEqual([...this.digests.keys()].sort());
    const left = names.filter((name) => UNFINISHED.test(name));
    expect(left.filter((name) => /large.*-part$/.test(name))).toEqual([]);
    return left.length;
  }
}

/** A client on its way. */
class Running {
  readonly #process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #errors: Promise<string>;
  readonly #over: Promise<unknown>;
  /** Its events; the last line may have been cut off by a kill, and then is none. */
  readonly events: Record<string, any>[] = [];
  isOver = false;

  constructor(command: string[], cwd: string) {
    this.#process = spawn(command, { cwd, env: USER_ENV, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    this.#errors = new Response(this.#process.stderr).text();
    this.#over = Promise.all([this.#read(), this.#process.exited.then(() => this.#end())]);
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  /** Resolves when it has told something: it is connected then. */
  hasBegun(): Promise<unknown> {
    return until(() => this.events.length > 0 || this.isOver);
  }

  /** Its exit code, the files that it has told to be done and to have failed, and what it said of errors. */
  async ended(): Promise<{ code: number; done: string[]; failed: object[]; errors: string }> {
    await this.#over;
    const done = this.events.filter(({ event, kind }) => event === "done" && kind === "file");
    return {
      code: await this.#process.exited,
      done: done.map(({ path }) => path as string),
      failed: this.events.filter(({ event }) => event === "failed"),
      errors: await this.#errors,
    };
  }

  #end(): void {
    this.isOver = true;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const piece of this.#process.stdout) {
      rest += decoder.decode(piece, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.events.push(JSON.parse(line));
    }
  }
}

/** Start the command that moves the tree. */
async function start(method: Method, trees: Trees, address: string, ...flags: string[]): Promise<Running> {
  const { client } = await binaries();
  const args = [client, method, "tree", "--json", "-s", address, ...flags];
  if (method === "get") return new Running(args, trees.target);
  return new Running([...args, "--to", `${trees.round}`], join(trees.source, ".."));
}

function startServer(method: Method, trees: Trees, stateDir: string, ...args: string[]): Promise<ServerProcess> {
  const repository = method === "put" ? trees.targets : join(trees.source, "..");
  // Slow enough to be caught while it moves.
  const flags = [
    "-r",
    repository,
    "--writable",
    "--max-clients",
    "200",
    "--grace",
    "1",
    "--limit-rate",
    "8MB",
    ...args,
  ];
  return ServerProcess.start(flags, { stateDir });
}

/** How long a transfer takes when nobody is killed: all of it, and from its first event on. */
interface Pace {
  readonly wholeMs: number;
  readonly movingMs: number;
}

/** Let a random part of the time pass that a whole transfer takes. */
function randomMoment({ wholeMs }: Pace): Promise<void> {
  return Bun.sleep(random.next() * wholeMs * 1.1);
}

/** The moment of a kill. */
async function killMoment(running: Running, kills: number, pace: Pace): Promise<void> {
  if (kills % 4 === 0) return randomMoment(pace);
  await running.hasBegun();
  await Bun.sleep(random.next() * pace.movingMs);
}

/** Files that were told to be done are there, whole. (check() has looked at what is in them.) */
function checkDone(trees: Trees, done: readonly string[]): void {
  const names = new Set(trees.names);
  // The client's paths are those of the source: below "tree", or with it in front.
  const lost = done.map((path) => path.replace(/^tree\//, "")).filter((path) => !names.has(path));
  expect(lost).toEqual([]);
}

async function undisturbed(method: Method, trees: Trees, address: string): Promise<Pace> {
  const startedAt = performance.now();
  const running = await start(method, trees, address);
  await running.hasBegun();
  const begunAt = performance.now();
  const { done, ...rest } = await running.ended();
  const endedAt = performance.now();
  expect(rest).toEqual({ code: 0, failed: [], errors: "" });
  expect(done).toHaveLength(trees.digests.size);
  expect(trees.checkWhole()).toBe(0);
  trees.reset();
  return { wholeMs: endedAt - startedAt, movingMs: endedAt - begunAt };
}

describe.each(["put", "get"] as const)("a %s of a tree", (method) => {
  test(`survives ${KILLS} kills of the server: nothing wrong, nothing partial, nothing lost that was acknowledged`, async () => {
    using trees = new Trees();
    using state = new TempFolder();
    let kills = 0;
    let rounds = 0;
    let left = 0;
    let pace: Pace | undefined;
    while (kills < KILLS) {
      await using server = await startServer(method, trees, state.path);
      pace ??= await undisturbed(method, trees, server.address);
      const running = await start(method, trees, server.address, "--reconnect", "0");
      await killMoment(running, kills, pace);
      const isInTime = !running.isOver;
      server.signal("SIGKILL");
      await server.exited();
      trees.check();
      const { code, done } = await running.ended();
      trees.check();
      checkDone(trees, done);
      if (isInTime) kills++;
      if (code !== 0) continue;
      rounds++;
      left += trees.checkWhole();
      trees.reset();
    }
    await using server = await startServer(method, trees, state.path);
    expect(await (await start(method, trees, server.address)).ended()).toMatchObject({ code: 0, errors: "" });
    left += trees.checkWhole();
    console.log(`${method}: ${kills} kills of the server, whole ${rounds + 1} times, ${left} unfinished files left`);
  }, 180_000);

  test(`survives ${KILLS} kills of the client: nothing wrong, nothing partial, nothing lost that was acknowledged`, async () => {
    using trees = new Trees();
    using state = new TempFolder();
    await using server = await startServer(method, trees, state.path);
    const pace = await undisturbed(method, trees, server.address);
    let kills = 0;
    let rounds = 0;
    let left = 0;
    while (kills < KILLS) {
      const running = await start(method, trees, server.address);
      await killMoment(running, kills, pace);
      if (!running.isOver) kills++;
      running.kill();
      const { code, done } = await running.ended();
      trees.check();
      checkDone(trees, done);
      if (code !== 0) continue;
      rounds++;
      left += trees.checkWhole();
      trees.reset();
    }
    // The same command again: a server that still has the last link to see off says BUSY to a file of it.
    let last: { code: number; errors: string };
    do last = await (await start(method, trees, server.address)).ended();
    while (last.code === 8 && last.errors.includes("BUSY"));
    expect(last).toMatchObject({ code: 0, errors: "" });
    left += trees.checkWhole();
    console.log(`${method}: ${kills} kills of the client, whole ${rounds + 1} times, ${left} unfinished files left`);
  }, 180_000);

  test("goes on by itself when the server is killed and started again at the same port", async () => {
    using trees = new Trees();
    using state = new TempFolder();
    let server = await startServer(method, trees, state.path);
    try {
      const pace = await undisturbed(method, trees, server.address);
      const port = server.port;
      for (let round = 0; round < 5; round++) {
        const running = await start(method, trees, server.address, "--reconnect", "60");
        await running.hasBegun();
        await randomMoment(pace);
        server.signal("SIGKILL");
        await server[Symbol.asyncDispose]();
        trees.check();
        server = await startServer(method, trees, state.path, "--port", `${port}`);
        const { done, ...rest } = await running.ended();
        expect(rest).toEqual({ code: 0, failed: [], errors: "" });
        expect(new Set(done).size).toBe(trees.digests.size);
        trees.checkWhole();
        trees.reset();
      }
    } finally {
      await server[Symbol.asyncDispose]();
    }
  }, 180_000);
});
