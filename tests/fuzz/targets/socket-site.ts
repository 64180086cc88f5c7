import { readdirSync, readlinkSync } from "node:fs";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { watch } from "../../support/outcomes.ts";
import { TestServer } from "../../support/test-server.ts";
import type { Conversation } from "../conversation.ts";
import { play } from "../player.ts";
import { SENTINELS } from "../site-files.ts";
import type { Stage, Wire } from "../wire.ts";
import { checkEvents, isDeserted, mayHaveChanged, occupancy } from "./server-oracles.ts";
import { oneTurn, type Site, type SiteOptions, within } from "./site.ts";
import { SocketFiles } from "./socket-files.ts";
import { SocketWire } from "./socket-wire.ts";

const GRACE_MS = 10;
/** Milliseconds that the end of a group may take before it counts as a hang. The transport lingers for two seconds. */
const WATCHDOG_MS = 6_000;
const KEPT_MS = 2_000;

/** A server over TCP, with a repository on the disk. */
export class SocketSite implements Site, Stage {
  readonly speaker = "server";
  readonly patience = { mutated: 6, honest: 4_000 };
  readonly #options: SiteOptions;
  readonly #files: SocketFiles;
  readonly #test: TestServer;
  readonly #port: number;
  /** Open files of this process when nobody is here. */
  #descriptors = 0;
  isWorn = false;

  private constructor(options: SiteOptions, files: SocketFiles, storage: LocalStorage) {
    this.#options = options;
    this.#files = files;
    this.#test = new TestServer({
      storage,
      maxClients: options.seats,
      maxWaiting: 4,
      graceMs: GRACE_MS,
      limits: { credit: 1_048_576, maxStreams: 8 },
    });
    this.#port = this.#test.listen();
  }

  static async open(options: SiteOptions): Promise<SocketSite> {
    const files = new SocketFiles();
    const storage = await LocalStorage.at(files.root);
    const site = new SocketSite(options, files, storage);
    (await storage.watch(() => {}))();
    // What is opened once, such as libraries, is opened by the first peer.
    await site.checkHonest();
    site.#descriptors = site.#open(false).length;
    return site;
  }

  dial(onBytes: (bytes: Uint8Array) => void): Promise<Wire> {
    return SocketWire.connect(this.#port, onBytes);
  }

  turn(): Promise<void> {
    return oneTurn();
  }

  async run(conversations: readonly Conversation[], isHonest: boolean): Promise<void> {
    const { findings, count } = this.#options;
    const report = (oracle: string, detail: string) => findings.add(oracle, detail);
    const stage = isHonest ? { ...this.#stage(), turn: () => Bun.sleep(1) } : this;
    const options = { stage, isHonest, report, count };
    const wires = (await Promise.all(conversations.map((one) => play(one, options)))).flat();
    for (const wire of wires) wire.reset();
    await this.#checkEnd(wires);
    this.#checkFiles();
    checkEvents(this.#test.events, findings);
    this.#test.events.length = 0;
  }

  async checkHonest(): Promise<void> {
    const talk = async (): Promise<void> => {
      const client = await this.#test.tcpClient();
      const { seats } = await client.status();
      if (seats.taken !== 1) throw new Error(`${seats.taken} seats are taken`);
      if ((await client.send("hello")).text !== "hello ACK") throw new Error("no ACK");
      await client.digest("kept-6f1d9c/sentinel.bin");
      await client.close();
    };
    const talking = watch(talk());
    await within(
      WATCHDOG_MS,
      () => Bun.sleep(1),
      () => talking.state !== "pending",
    );
    if (talking.state !== "resolved") {
      this.#options.findings.add("honest peer", talking.state === "pending" ? "waits for ever" : String(talking.error));
    }
    await within(
      WATCHDOG_MS,
      () => Bun.sleep(1),
      () => isDeserted(this.#test.server),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The storage keeps folders for a moment in which they may be wanted again.
    if (
      !(await within(
        KEPT_MS,
        () => Bun.sleep(1),
        () => this.#open(true).length === 0,
      ))
    ) {
      this.#options.findings.add("descriptors", `in the repository: ${this.#open(true).join()}`);
    }
    const stopped = watch(this.#test[Symbol.asyncDispose]());
    if (
      !(await within(
        WATCHDOG_MS,
        () => Bun.sleep(1),
        () => stopped.state !== "pending",
      ))
    ) {
      this.#options.findings.add("shutdown", `does not end: ${occupancy(this.#test.server)}`);
    }
    this.#files[Symbol.dispose]();
  }

  #stage(): Stage {
    return {
      speaker: this.speaker,
      patience: this.patience,
      dial: (onBytes) => this.dial(onBytes),
      turn: () => this.turn(),
    };
  }

  async #checkEnd(wires: readonly Wire[]): Promise<void> {
    const { findings } = this.#options;
    const { server } = this.#test;
    const pause = async () => {
      await oneTurn();
      await Bun.sleep(1);
    };
    const isOver = () => isDeserted(server) && wires.every(({ closed }) => closed);
    if (!(await within(WATCHDOG_MS, pause, isOver))) {
      const open = wires.filter(({ closed }) => !closed).length;
      findings.add("hang", `${open} links of ${wires.length} are open; ${occupancy(server)}`);
    }
    const isGivenBack = () => this.#open(false).length <= this.#descriptors;
    if (!(await within(KEPT_MS, pause, isGivenBack))) {
      findings.add("descriptors", `${this.#open(false).join()} beside the ${this.#descriptors} of before`);
    }
    if (findings.size > 0) this.isWorn = true;
  }

  /** What this process has open, in the repository or elsewhere. */
  #open(inRepository: boolean): string[] {
    const targets = readdirSync("/proc/self/fd").map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return ""; // the one by which the list was read
      }
    });
    if (inRepository) return targets.filter((target) => target.startsWith(this.#files.root));
    // Pipes, event queues and what is printed to belong to the runtime and its threads.
    return targets.filter((target) => target.startsWith("socket:"));
  }

  #checkFiles(): void {
    const { findings } = this.#options;
    for (const path of this.#files.changed()) {
      this.isWorn = true;
      if (path in SENTINELS || !mayHaveChanged(this.#test.events, path)) findings.add("file", `${path} has changed`);
    }
    const outside = this.#files.outside();
    if (outside !== undefined) findings.add("outside", outside);
  }
}
