import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { Client } from "../../../lib/client/client.ts";
import { parseInvite } from "../../../lib/protocol/invite.ts";
import { systemClock } from "../../../lib/session/clock.ts";
import { MemoryStorage } from "../../../lib/storage/memory-storage.ts";
import { connect } from "../../../lib/transport/socket.ts";
import { ServerProcess } from "../processes.ts";
import { Program } from "../program.ts";
import { TempFolder } from "../temp-folder.ts";
import { digestsOf, fetchAll, sha256Of } from "../transfers.ts";
import { until } from "../until.ts";
import { residentBytes, Scales, type Weight } from "./scales.ts";

/** Large numbers for a thorough run; small ones for every run. */
export const isFull = process.env["COMMSERVER_ABUSE"] === "full";

export type Security = "plain" | "tls";

export interface Attack {
  readonly kind: string;
  /** The number of attackers: small, and in full. */
  readonly count: readonly [number, number];
}

export interface Usage {
  /** Open descriptors. */
  readonly descriptors: number;
  /** Resident memory in bytes. */
  readonly resident: number;
  readonly seats: number;
}

export interface Report {
  readonly before: Usage;
  readonly after: Usage;
}

/** The number of timed messages, or as many as fit this time. */
const MESSAGES = isFull ? 2_000 : 200;
const TALK_MS = isFull ? 60_000 : 5_000;
/** How long an attack is measured that does not end by itself. */
const WEIGHED_MS = isFull ? 30_000 : 3_000;
const SEATS = 64;
const content = crypto.getRandomValues(new Uint8Array(65_536));

/** A compiled server that anyone may read from, and two honest clients of it. */
export class AbuseSite implements AsyncDisposable {
  readonly security: Security;
  readonly #folder = new TempFolder();
  #server: ServerProcess | undefined;
  #talker!: Client;
  #reader!: Client;
  readonly #file: Uint8Array<ArrayBuffer>;

  private constructor(security: Security) {
    this.security = security;
    this.#file = new Uint8Array((isFull ? 256 : 4) * 1024 * 1024);
    for (let at = 0; at < this.#file.length; at += content.length) this.#file.set(content, at);
  }

  static async open(
    security: Security,
    args: string[] = ["--max-clients", `${SEATS}`, "--max-lists", "1000"],
    options: { stateDir?: string } = {},
  ): Promise<AbuseSite> {
    const site = new AbuseSite(security);
    try {
      await site.#start(args, options);
    } catch (thrown) {
      await site[Symbol.asyncDispose]();
      throw thrown;
    }
    return site;
  }

  async #start(args: string[], options: { stateDir?: string }): Promise<void> {
    const { repository } = this;
    mkdirSync(repository);
    writeFileSync(`${repository}/large.bin`, this.#file);
    const flags = ["--open", ...(this.security === "plain" ? ["--plaintext"] : []), ...args];
    this.#server = await ServerProcess.start(["-r", repository, ...flags], options);
    this.#talker = await this.client();
    this.#reader = await this.client();
    // Warm up everything that is created only once.
    for (let count = 0; count < 50; count++) await this.#talker.send("warm up");
    await this.fetch();
  }

  get repository(): string {
    return this.folder("repo");
  }

  /** A place beside the repository, on the same disk. */
  folder(name: string): string {
    return this.#folder.join(name);
  }

  get server(): ServerProcess {
    if (this.#server === undefined) throw new Error("there is no server yet");
    return this.#server;
  }

  async client(): Promise<Client> {
    const trust = this.security === "tls" ? { verify() {} } : undefined;
    const address = { kind: "tcp", host: "127.0.0.1", port: this.server.port } as const;
    const transport = await connect(address, { timeoutMs: 20_000, trust });
    return Client.connect({ transport, clock: systemClock, agent: "honest", wait: false, timeoutMs: 20_000 });
  }

  /** Fetch the large file. @returns whether every byte is right */
  async fetch(): Promise<boolean> {
    const local = new MemoryStorage();
    const { failed } = await fetchAll(this.#reader, local, { paths: ["large.bin"] });
    return failed.length === 0 && (await digestsOf(local))["large.bin"] === sha256Of(this.#file);
  }

  async usage(): Promise<Usage> {
    return {
      descriptors: readdirSync(`/proc/${this.server.pid}/fd`).length,
      resident: residentBytes(this.server.pid),
      seats: (await this.#talker.status({ limit: 1 })).seats.taken,
    };
  }

  /** Endure an attack: send messages and fetch meanwhile, then wait until nothing is left of it. */
  async endure({ kind, count: [few, many] }: Attack): Promise<Report> {
    const before = await this.usage();
    await using attack = this.#attack(kind, isFull ? many : few);
    let over: string | undefined;
    await attack.hear((line) => line === "under way");
    const hearing = attack.hear((line) => line.startsWith("over"));
    hearing.then(
      (line) => {
        over = line;
      },
      () => {}, // told to who waits for it below
    );
    const times: number[] = [];
    // An attack that ends by itself is watched until its end.
    const isBounded = ["connects", "burst"].includes(kind);
    const begunAt = performance.now();
    const isEnough = () => times.length >= MESSAGES || performance.now() - begunAt > TALK_MS;
    while (!isEnough() || (isBounded && over === undefined)) times.push(await this.#talk());
    // Print this at once, so that it is seen even if the attack is not endured.
    console.log(`${`${kind} (${this.security})`.padEnd(26)} ${timesOf(times)}`);
    if (!(await this.fetch())) throw new Error("the file did not come as it is");
    attack.endInput();
    const tally = await hearing;
    await attack.ended();
    const after = await until(async () => {
      const now = await this.usage();
      return now.seats <= before.seats && now.descriptors <= before.descriptors + 2 && now;
    });
    const [from, to] = [before, after].map(({ resident }) => `${Math.round(resident / 1e6)} MB`);
    console.log(
      `${"".padEnd(26)} resident memory ${from}, afterwards ${to}; connections ${tally.slice("over ".length)}`,
    );
    return { before, after };
  }

  /** Measure an attack: send messages and fetch for a while, and measure the resources until nothing is left of it. */
  async weigh({ kind, count: [few, many] }: Attack): Promise<Weight & { readonly fetched: boolean }> {
    const count = isFull ? many : few;
    const { seats } = await this.usage();
    let fetched = false;
    const weight = await this.beside(`${kind} × ${count} (${this.security})`, async () => {
      await using attack = this.#attack(kind, count);
      await attack.hear((line) => line === "under way");
      const over = attack.hear((line) => line.startsWith("over"));
      if (kind.startsWith("dead-")) await over;
      else await Bun.sleep(WEIGHED_MS);
      fetched = await this.fetch();
      attack.endInput();
      await over;
      await attack.ended();
      await until(async () => (await this.usage()).seats <= seats);
    });
    return { ...weight, fetched };
  }

  /** An operator, over the server's own socket. */
  async operator(): Promise<Client> {
    const address = { kind: "unix", path: `${this.server.stateDir}/operator.sock` } as const;
    const transport = await connect(address, { timeoutMs: 20_000 });
    return Client.connect({ transport, clock: systemClock, agent: "operator", wait: false, timeoutMs: 20_000 });
  }

  /** Send messages during `work`, and after it until the server is idle; print the measurements. */
  async beside(what: string, work: () => Promise<void>): Promise<Weight> {
    using scales = new Scales(this.server.pid);
    let isOver = false;
    const ended = work().finally(() => {
      isOver = true;
    });
    ended.catch(() => {}); // told to who waits for it below
    const times: number[] = [];
    for (let busy = 0; ; ) {
      for (let count = 0; count < 50; count++) times.push(await this.#talk());
      const { seconds } = scales;
      // The messages themselves take a little time.
      if (isOver && seconds - busy < 0.03) break;
      busy = seconds;
    }
    await ended;
    const weight = {
      seconds: scales.seconds,
      peak: scales.peak,
      p99: sortedAt(times, 0.99),
      longest: Math.max(...times),
    };
    const [kept, peak] = [scales.kept, weight.peak].map((bytes) => `${Math.round(bytes / 1e6)} MB`);
    console.log(`${what.padEnd(34)} ${timesOf(times)}`);
    console.log(
      `${"".padEnd(34)} ${weight.seconds.toFixed(2)} s of processor time; at most ${peak} more than before, afterwards ${kept} more`,
    );
    return weight;
  }

  #attack(kind: string, count: number): Program {
    const attacker = `${import.meta.dir}/attacker.ts`;
    const { name, secret } = parseInvite(this.server.events[0]?.["invite"]).token;
    const args = [kind, String(this.server.port), this.security, String(count), `${name}:${secret}`];
    return new Program([process.execPath, attacker, ...args], { cwd: "/" });
  }

  async #talk(): Promise<number> {
    const text = crypto.randomUUID();
    const startedAt = performance.now();
    const answer = await this.#talker.send(text);
    const ms = performance.now() - startedAt;
    if (answer.text !== `${text} ACK`) throw new Error(`answered with ${answer.text}`);
    // As a person, or a program that uses the answer: not a flood of its own.
    await Bun.sleep(1);
    return ms;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

function sortedAt(times: number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function timesOf(times: number[]): string {
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => sortedAt(times, share).toFixed(1).padStart(7));
  return `messages: p50 ${p50} ms  p99 ${p99} ms  longest ${max} ms  of ${times.length}`;
}
