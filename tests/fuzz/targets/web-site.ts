import { readdirSync, readlinkSync } from "node:fs";
import type { Token } from "../../../lib/protocol/token.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { memoryPair } from "../../../lib/transport/memory-transport.ts";
import { readAnswers } from "../../support/http-answers.ts";
import { addressOf } from "../../support/peer-address.ts";
import { basic, WebSite } from "../../support/web-site.ts";
import type { Conversation } from "../conversation.ts";
import { playHttp } from "../http-player.ts";
import { SENTINELS } from "../site-files.ts";
import type { Stage, Wire } from "../wire.ts";
import { MemoryWire } from "./memory-wire.ts";
import { checkEvents, isDeserted, mayHaveChanged, occupancy } from "./server-oracles.ts";
import { oneTurn, type Site, type SiteOptions, within } from "./site.ts";
import { SocketFiles } from "./socket-files.ts";

/** Longer than a seat is kept, a body may stall, and an answer wait. */
const LATER_MS = 200_000;
/** Milliseconds that the end of a group may take before it counts as a hang. */
const WATCHDOG_MS = 6_000;
const HONEST = "kept-6f1d9c/sentinel.bin";

/** A server's HTTP door, with a repository on the disk, its links in memory, and a clock that the fuzzer moves. */
export class WebTarget implements Site, Stage {
  readonly speaker = "server";
  readonly patience = { mutated: 6, honest: 4_000 };
  readonly #options: SiteOptions;
  readonly #files: SocketFiles;
  readonly site: WebSite;
  /** Tokens that are being judged: nobody is here for them yet. */
  #judged = 0;
  /** Timers when nobody is here. */
  #timers = 0;
  isWorn = false;

  private constructor(options: SiteOptions, files: SocketFiles, site: WebSite) {
    this.#options = options;
    this.#files = files;
    this.site = site;
    const { access } = site.access.server.gateway;
    const judge = access.judge.bind(access);
    access.judge = async (token, from) => {
      this.#judged++;
      try {
        return await judge(token, from);
      } finally {
        this.#judged--;
      }
    };
  }

  static async open(options: SiteOptions): Promise<WebTarget> {
    const files = new SocketFiles();
    const storage = await LocalStorage.at(files.root);
    const site = await WebSite.start({ storage, maxClients: options.seats, writable: true, mayWrite: true });
    const target = new WebTarget(options, files, site);
    await target.checkHonest();
    await site.access.clock.advance(LATER_MS);
    target.#timers = site.access.clock.pending;
    return target;
  }

  dial(onBytes: (bytes: Uint8Array) => void): Wire {
    const [ours, theirs] = memoryPair({ a: "fuzzer", b: "server" }, undefined, { a: addressOf("127.0.0.1:1") });
    const wire = new MemoryWire(ours, onBytes);
    this.site.gateway.accept(theirs);
    return wire;
  }

  turn(): Promise<void> {
    return oneTurn();
  }

  async run(conversations: readonly Conversation[], isHonest: boolean): Promise<void> {
    const { findings, count } = this.#options;
    const report = (oracle: string, detail: string) => findings.add(oracle, detail);
    const turn = isHonest ? () => Bun.sleep(1) : oneTurn;
    const stage: Stage = {
      speaker: this.speaker,
      patience: this.patience,
      dial: (onBytes) => this.dial(onBytes),
      turn,
    };
    const options = { stage, isHonest, report, count, token: plain(this.site.writer) };
    const played = conversations.map((one) => playHttp(one, options));
    await this.checkHonest();
    const wires = (await Promise.all(played)).flat();
    for (const wire of wires) wire.reset();
    await this.#checkEnd(wires);
    this.#checkFiles();
    checkEvents(this.site.access.events, findings);
    this.site.access.events.length = 0;
  }

  /** One who asks properly gets the right bytes. */
  async checkHonest(): Promise<void> {
    let text = "";
    const wire = this.dial((bytes) => {
      text += Buffer.from(bytes).toString("latin1");
    });
    const { authorization } = basic(this.site.token);
    wire.send(Buffer.from(`GET /files/${HONEST} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`));
    const answer = () => {
      try {
        return readAnswers(text).answers[0];
      } catch {
        return { body: undefined }; // which is told below
      }
    };
    await within(WATCHDOG_MS, pause, () => answer() !== undefined || wire.closed);
    wire.reset();
    const isRight = answer()?.body === SENTINELS[HONEST]?.toString("latin1");
    if (!isRight) this.#options.findings.add("honest peer", `gets ${JSON.stringify(text.slice(0, 500))}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The storage keeps folders for a moment in which they may be wanted again.
    if (!(await within(WATCHDOG_MS, pause, () => this.#open().length === 0)))
      this.#options.findings.add("descriptors", this.#open().join());
    await this.site[Symbol.asyncDispose]();
    this.#files[Symbol.dispose]();
  }

  async #checkEnd(wires: readonly Wire[]): Promise<void> {
    const { findings } = this.#options;
    const { server, clock } = this.site.access;
    const isIdle = () => server.members.clients.every(({ session }) => session.idleSince !== undefined);
    const isOver = () =>
      this.#judged === 0 && server.memory.used === 0 && isIdle() && wires.every(({ closed }) => closed);
    if (!(await within(WATCHDOG_MS, pause, isOver))) {
      const open = wires.filter(({ closed }) => !closed).length;
      findings.add(
        "hang",
        `${open} links of ${wires.length} are open; ${occupancy(server)}, ${server.memory.used} bytes`,
      );
    }
    await clock.advance(LATER_MS);
    if (!(await within(WATCHDOG_MS, pause, () => isDeserted(server)))) findings.add("seat", occupancy(server));
    if (clock.pending > this.#timers) findings.add("timer", `${clock.pending} timers are left, not ${this.#timers}`);
    if (findings.size > 0) this.isWorn = true;
  }

  #checkFiles(): void {
    const { findings } = this.#options;
    for (const path of this.#files.changed()) {
      this.isWorn = true;
      // The link "loop" leads to the same files.
      const names = ["", "loop/", "loop/loop/"].map((link) => link + path);
      const isTold = names.some((name) => mayHaveChanged(this.site.access.events, name));
      if (!isTold) findings.add("file", `${path} has changed`);
    }
    const outside = this.#files.outside();
    if (outside !== undefined) findings.add("outside", outside);
  }

  /** What this process has open in the repository. */
  #open(): string[] {
    const targets = readdirSync("/proc/self/fd").map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return ""; // the one by which the list was read
      }
    });
    return targets.filter((target) => target.startsWith(this.#files.root));
  }
}

async function pause(): Promise<void> {
  await oneTurn();
  await Bun.sleep(1);
}

function plain({ name, secret }: Token): string {
  return Buffer.from(`${name}:${secret}`).toString("base64");
}
