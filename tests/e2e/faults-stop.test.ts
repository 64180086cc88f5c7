import { beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { LinkProxy, type Tap } from "../support/link-proxy.ts";
import { ServerProcess } from "../support/processes.ts";
import { clientCommand, isStopped, OPEN_FLAGS, Program } from "../support/program.ts";
import { Random } from "../support/random.ts";
import { BLOCK } from "../support/raw-chunks.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { sha256Of } from "../support/transfers.ts";
import { until } from "../support/until.ts";

const random = new Random("faults-stop");
/** More than the client's credit and all buffers on the way hold. */
const LARGE = 40 * BLOCK + 321;
const MIDDLE = 8 * BLOCK;

beforeAll(async () => {
  await binaries();
}, 180_000);

/** Passes everything on until the middle, and then nothing before it is told to. */
class Middle implements Tap {
  readonly #more = Promise.withResolvers<void>();
  #passed = 0;

  get isReached(): boolean {
    return this.#passed >= MIDDLE;
  }

  goOn(): void {
    this.#more.resolve();
  }

  async pass(direction: "up" | "down", bytes: Buffer): Promise<Uint8Array> {
    if (direction === "down" && this.isReached) await this.#more.promise;
    if (direction === "down") this.#passed += bytes.length;
    return bytes;
  }
}

/** A server with a large file, and folders to fetch it to. */
class Site extends TempFolder implements AsyncDisposable {
  readonly content = random.bytes(LARGE);
  server!: ServerProcess;

  static async open(): Promise<Site> {
    const site = new Site();
    writeTree(site.join("repository"), { "large.bin": site.content });
    site.server = await ServerProcess.start([...OPEN_FLAGS, "-r", site.join("repository"), "--max-clients", "2"]);
    return site;
  }

  /** A client that fetches the file into the folder of that name. */
  async get(folder: string, port = this.server.port): Promise<Program> {
    mkdirSync(this.join(folder), { recursive: true });
    const command = await clientCommand(`127.0.0.1:${port}`, "get", "large.bin", "--json");
    return new Program(command, { cwd: this.join(folder) });
  }

  /** The transfer that was stopped ends as if nothing had happened, over the link that it began on. */
  async checkWhole(get: Program, folder: string): Promise<void> {
    expect(await get.ended()).toEqual({ exitCode: 0, stderr: "" });
    expect(get.events.at(-1)).toMatchObject({ event: "finished", stored: 1, failed: 0 });
    expect(get.events.filter(({ event }) => event === "restarted")).toEqual([]);
    expect(readdirSync(this.join(folder))).toEqual(["large.bin"]);
    expect(sha256Of(readFileSync(this.join(folder, "large.bin")))).toBe(sha256Of(this.content));
  }

  /** That client has left, and nobody's link was lost. */
  async checkLeft(name: string): Promise<void> {
    expect(await this.server.event("left", { name })).toMatchObject({ reason: "exit" });
    expect(this.server.events.filter(({ event }) => event === "away" || event === "returned")).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server?.[Symbol.asyncDispose]();
    this[Symbol.dispose]();
  }
}

describe("in the middle of a get of a large file", () => {
  test("a server that is stopped lets clients wait, and goes on when it is continued", async () => {
    await using site = await Site.open();
    const middle = new Middle();
    using proxy = new LinkProxy(site.server.port, () => middle);
    await using get = await site.get("here", proxy.port);
    await until(() => middle.isReached);
    site.server.signal("SIGSTOP");
    await until(() => isStopped(site.server.pid));
    middle.goOn();
    // Others are not held for longer than they want to wait.
    await using late = new Program(await clientCommand(site.server.address, "list", "--timeout", "1", "--json"));
    const { exitCode, stderr } = await late.ended();
    expect([exitCode, JSON.parse(stderr).error.exit]).toEqual([3, 3]);
    expect(get.isOver).toBe(false);
    site.server.signal("SIGCONT");
    await site.checkWhole(get, "here");
    expect(proxy.links).toHaveLength(1);
    await site.checkLeft("Client01");
    await using list = new Program(await clientCommand(site.server.address, "list", "--json"));
    expect(await list.ended()).toEqual({ exitCode: 0, stderr: "" });
  }, 180_000);

  test("a client that is stopped slows nobody, and goes on when it is continued", async () => {
    await using site = await Site.open();
    let get: Program;
    let round = 0;
    // One that was too fast to be stopped on its way has done no harm: another.
    do {
      get = await site.get(`stopped${++round}`);
      await get.hear((line) => line.includes('"started"'));
    } while (!(await get.stop()));
    await using _ = get;
    await using honest = await site.get("honest");
    await site.checkWhole(honest, "honest");
    await using sending = new Program(await clientCommand(site.server.address, "send", "hello"));
    expect(await sending.ended()).toEqual({ exitCode: 0, stderr: "" });
    expect(sending.lines).toEqual(["hello ACK"]);
    expect(get.isOver).toBe(false);
    expect(readdirSync(site.join(`stopped${round}`))).not.toContain("large.bin");
    get.signal("SIGCONT");
    await site.checkWhole(get, `stopped${round}`);
    await site.checkLeft(`Client${String(round).padStart(2, "0")}`);
  }, 180_000);
});
