import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { binaries } from "../support/binaries.ts";
import {
  describeLossy,
  describeNetwork,
  type Impairment,
  Network,
  removeNetworks,
  SERVER_HOST,
} from "../support/netns.ts";
import { clientCommand, Program, serverCommand } from "../support/program.ts";
import { Random } from "../support/random.ts";
import { BLOCK } from "../support/raw-chunks.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { sha256Of } from "../support/transfers.ts";

const POOR: Impairment = { delayMs: 40, jitterMs: 10, loss: 0.02, duplicate: 0.01, reorder: 0.05, mbit: 20 };

const random = new Random("faults-network");
const files: Record<string, Uint8Array> = { "large.bin": random.bytes(2 * BLOCK + 4_321) };
for (let index = 0; index < 60; index++) files[`tree/${index % 4}/${index}.txt`] = random.bytes(random.below(12_000));

beforeAll(async () => {
  await binaries();
}, 180_000);

afterAll(removeNetworks);

/** A server at one end of a network of its own, and clients at the other. */
class Site extends TempFolder implements AsyncDisposable {
  readonly network: Network;
  server!: Program;
  #address = "";

  private constructor(network: Network) {
    super();
    this.network = network;
    for (const folder of ["state", "here"]) mkdirSync(this.join(folder));
  }

  static async open(content: Record<string, Uint8Array>, impairment?: Impairment, ...flags: string[]): Promise<Site> {
    const site = new Site(await Network.make(impairment));
    try {
      writeTree(site.join("repository"), content);
      const command = await serverCommand(site.join("state"), site.join("repository"), "--host", SERVER_HOST, ...flags);
      site.server = new Program(site.network.atServer(...command), { cwd: site.path });
      const { port } = await site.server.event("listening");
      site.#address = `${SERVER_HOST}:${port}`;
      return site;
    } catch (error) {
      await site[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** With one seat, over a good link that the server gives up within seconds when nothing gets through. */
  static async openForOne(...flags: string[]): Promise<Site> {
    const site = await Site.open({ "a.txt": random.bytes(3) }, undefined, "--max-clients", "1", ...flags);
    await site.network.setRetries(3);
    return site;
  }

  /** Pull the cable from under a shell, and wait until the server knows. @returns its name */
  async cutOff(shell: Program, meanwhile?: () => void): Promise<string> {
    shell.say("hello");
    await shell.hear((line) => line.includes("hello ACK"));
    const { name } = await this.server.event("joined");
    await this.network.setLink("down");
    meanwhile?.();
    // Something that is never acknowledged: by itself TCP would not find out.
    const { server } = await binaries();
    const words = ["console", "--state-dir", this.join("state"), `@${name} are you there?`];
    await using pushing = new Program([server, ...words]);
    await this.server.event("away", { name });
    expect((await pushing.ended()).exitCode).not.toBe(0);
    return name;
  }

  async client(command: string, ...args: string[]): Promise<Program> {
    const words = this.network.atClient(...(await clientCommand(this.#address, command, ...args)));
    return new Program(words, { cwd: this.join("here") });
  }

  /** SHA-256 of all that was fetched, by path. */
  get fetched(): Record<string, string> {
    const entries = readdirSync(this.join("here"), { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`);
    return Object.fromEntries(paths.map((path) => [relative(this.join("here"), path), sha256Of(readFileSync(path))]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server?.[Symbol.asyncDispose]();
    await this.network[Symbol.asyncDispose]();
    this[Symbol.dispose]();
  }
}

function digestsOf(content: Record<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries(Object.entries(content).map(([path, bytes]) => [path, sha256Of(bytes)]));
}

describeLossy("over a link that is slow, loses, doubles and reorders packets", () => {
  test.concurrent("a large file and a tree arrive right, and messages get through beside them", async () => {
    await using site = await Site.open(files, POOR, "--max-clients", "5");
    await using large = await site.client("get", "large.bin", "--json");
    await using tree = await site.client("get", "tree", "--json");
    await using shell = await site.client("shell");
    for (const text of ["one", "two", "three"]) {
      shell.say(text);
      await shell.hear((line) => line.includes(`${text} ACK`));
    }
    shell.say("exit");
    expect((await shell.ended()).exitCode).toBe(0);
    for (const get of [large, tree]) expect(await get.ended()).toEqual({ exitCode: 0, stderr: "" });
    expect(site.fetched).toEqual(digestsOf(files));
    expect(site.server.events.filter(({ event }) => event === "away")).toEqual([]);
    expect(await site.network.lost()).toBeGreaterThan(0);
  }, 180_000);

  test.concurrent("a get outlives a cable that is pulled for three seconds", async () => {
    // Slow enough that it can't be over before the cable is out.
    await using site = await Site.open(files, { ...POOR, mbit: 8 });
    await using large = await site.client("get", "large.bin", "--json", "--reconnect", "60");
    await large.event("progress");
    await site.network.setLink("down");
    // Somebody else who asks for as long gets no answer.
    await using late = await site.client("list", "--timeout", "3");
    expect((await late.ended()).exitCode).toBe(3);
    expect(large.isOver).toBe(false);
    await site.network.setLink("up");
    expect(await large.ended()).toEqual({ exitCode: 0, stderr: "" });
    expect(site.fetched).toEqual({ "large.bin": digestsOf(files)["large.bin"] as string });
  }, 180_000);
});

describeNetwork("when the cable is cut, and the server gives the link up", () => {
  test.concurrent("a shell comes back under its name when there is a cable again", async () => {
    await using site = await Site.openForOne();
    await using shell = await site.client("shell");
    const name = await site.cutOff(shell);
    await site.network.setLink("up");
    // The shell finds out by what it says, which is lost with the link.
    shell.say("into the void");
    await shell.hear((line) => line.includes(`Connected again as ${name}`));
    await site.server.event("returned", { name });
    shell.say("again");
    await shell.hear((line) => line.includes("again ACK"));
    shell.say("exit");
    expect((await shell.ended()).exitCode).toBe(3);
    expect(shell.lines.filter((line) => line.includes("void ACK"))).toEqual([]);
    expect(await site.server.event("left", { name })).toMatchObject({ reason: "exit" });
  }, 180_000);

  test.concurrent("a client that was killed meanwhile, so that nobody says goodbye, loses its seat after the grace time", async () => {
    await using site = await Site.openForOne("--grace", "1");
    await using shell = await site.client("shell");
    const name = await site.cutOff(shell, () => shell.signal("SIGKILL"));
    await site.network.setLink("up");
    await using next = await site.client("list", "--wait");
    expect((await next.ended()).exitCode).toBe(0);
    expect(await site.server.event("left", { name })).toMatchObject({ reason: "lost" });
  }, 180_000);
});
