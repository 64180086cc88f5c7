import { describe } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "./processes.ts";
import { Program } from "./program.ts";
import { Random } from "./random.ts";

/** What a link does to packets, in each direction. */
export interface Impairment {
  readonly delayMs: number;
  readonly jitterMs: number;
  /** The share of all packets, from 0 to 1. */
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: number;
  readonly mbit: number;
}

const PREFIX = "commserver-test-";
const NAMESPACES = "/run/netns";
/** The name of the link in either namespace. */
const DEVICE = "cable";
export const SERVER_HOST = "10.83.0.1";
const CLIENT_HOST = "10.83.0.2";

const ip = Bun.which("ip") ?? "/usr/sbin/ip";
const tc = Bun.which("tc") ?? "/usr/sbin/tc";

/** Whether the command works here. */
function works(...command: string[]): boolean {
  return existsSync(command[0] as string) && Bun.spawnSync(command, { stdout: "ignore", stderr: "ignore" }).success;
}

/** Why there can be no network of the test's own; false when there can. */
function whyNot(): string | false {
  if (process.platform !== "linux") return "network namespaces are Linux's";
  if (process.getuid?.() !== 0) return "network namespaces are for root";
  const name = `${PREFIX}${process.pid}-probe`;
  const isMade = works(ip, "netns", "add", name);
  const isLinked = isMade && works(ip, "-n", name, "link", "add", DEVICE, "type", "veth", "peer", "name", "other");
  if (isMade) works(ip, "netns", "del", name);
  return !isLinked && "ip netns add, or ip link add … type veth, does not work here";
}

/** How a link can be made slow and lossy; why, if it can't. */
function findImpairer(): "netem" | "relay" | { missing: string } {
  const name = `${PREFIX}${process.pid}-probe`;
  works(ip, "netns", "add", name);
  const hasNetem = works(tc, "-n", name, "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms");
  works(ip, "netns", "del", name);
  if (hasNetem) return "netem";
  const noNetem = "the kernel has no sch_netem, or there is no tc";
  if (!existsSync("/dev/net/tun")) return { missing: `${noNetem}; and no /dev/net/tun to do without` };
  console.warn(`${noNetem}: a relay between two TUN devices delays, drops, doubles and reorders packets in its place.`);
  return "relay";
}

const reason = whyNot();
const impairer = reason === false ? findImpairer() : { missing: reason };

function isMissing(found: typeof impairer): string | false {
  return typeof found === "string" ? false : found.missing;
}

function skipFor(reason: string | false): boolean {
  if (reason === false || process.env["CI"]) return false;
  console.warn(`tests over a network of their own are skipped: ${reason}.`);
  return true;
}

/** `describe` for tests that need network namespaces: skipped where there can be none, except in CI. */
export const describeNetwork = describe.skipIf(skipFor(reason));
/** The same for tests that also need a link which is slow and lossy. */
export const describeLossy = reason !== false ? describeNetwork : describe.skipIf(skipFor(isMissing(impairer)));

const live = new Set<Network>();
let made = 0;

/** Two namespaces with a link between them: an isolated network. */
export class Network implements AsyncDisposable {
  readonly #server: string;
  readonly #client: string;
  #relay: Program | undefined;

  private constructor() {
    const name = `${PREFIX}${process.pid}-${made++}`;
    this.#server = `${name}s`;
    this.#client = `${name}c`;
  }

  /** With `impairment`, a slow and lossy link; otherwise an ideal one. */
  static async make(impairment?: Impairment): Promise<Network> {
    await sweep();
    const network = new Network();
    live.add(network);
    try {
      await network.#build(impairment);
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The command, run at the server's end or the client's. */
  atServer(...command: string[]): string[] {
    return [ip, "netns", "exec", this.#server, ...command];
  }

  atClient(...command: string[]): string[] {
    return [ip, "netns", "exec", this.#client, ...command];
  }

  /** Unplug the server's cable, or plug it back in. */
  async setLink(state: "up" | "down"): Promise<void> {
    await must(ip, "-n", this.#server, "link", "set", DEVICE, state);
  }

  /**
   * Give up a lost connection after this many retransmissions: after seconds, where the default is a quarter of an
   * hour.
   */
  async setRetries(count: number): Promise<void> {
    await must(...this.atServer("/bin/sh", "-c", `echo ${count} > /proc/sys/net/ipv4/tcp_retries2`));
  }

  /** How many packets the link has lost so far. A relay ends with this call, and reports its total. */
  async lost(): Promise<number> {
    if (this.#relay !== undefined) {
      this.#relay.endInput();
      await this.#relay.ended();
      return JSON.parse(this.#relay.lines.at(-1) ?? "{}").lost;
    }
    const { stdout } = await must(tc, "-n", this.#server, "-s", "qdisc", "show", "dev", DEVICE);
    return Number(/dropped (\d+)/.exec(stdout)?.[1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!live.delete(this)) return;
    await this.#relay?.[Symbol.asyncDispose]();
    for (const name of [this.#server, this.#client]) await remove(name);
  }

  async #build(impairment: Impairment | undefined): Promise<void> {
    for (const name of [this.#server, this.#client]) await must(ip, "netns", "add", name);
    if (impairment !== undefined && impairer === "relay") await this.#startRelay(impairment);
    else {
      await must(
        ...[ip, "-n", this.#server, "link", "add", DEVICE],
        ...["type", "veth", "peer", "name", DEVICE, "netns", this.#client],
      );
    }
    const ends = [
      [this.#server, SERVER_HOST],
      [this.#client, CLIENT_HOST],
    ] as const;
    for (const [name, host] of ends) {
      if (impairment !== undefined && impairer !== "relay") {
        await must(tc, "-n", name, "qdisc", "add", "dev", DEVICE, "root", "netem", ...netemArgs(impairment));
      }
      await must(ip, "-n", name, "address", "add", `${host}/24`, "dev", DEVICE);
      await must(ip, "-n", name, "link", "set", DEVICE, "up");
    }
  }

  async #startRelay(impairment: Impairment): Promise<void> {
    const script = join(import.meta.dir, "link-relay.ts");
    const args = [this.#server, this.#client, DEVICE, JSON.stringify(impairment)];
    const { seed } = new Random("network");
    this.#relay = new Program([process.execPath, script, ...args], { env: { COMMSERVER_SEED: `${seed}` } });
    await this.#relay.hear((line) => line === "ready");
  }
}

/** Remove the networks that the tests of this process have made, however they ended: for afterAll(). */
export async function removeNetworks(): Promise<void> {
  for (const network of [...live]) await network[Symbol.asyncDispose]();
}

/** Remove the leftovers of a killed run. */
async function sweep(): Promise<void> {
  if (!existsSync(NAMESPACES)) return;
  for (const name of readdirSync(NAMESPACES)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await remove(name);
  }
}

/** Remove a namespace, and end the processes in it. */
async function remove(name: string): Promise<void> {
  if (!existsSync(join(NAMESPACES, name))) return;
  const { stdout } = await run([ip, "netns", "pids", name]);
  for (const pid of stdout.split("\n").filter(Boolean)) process.kill(Number(pid), "SIGKILL");
  await run([ip, "netns", "del", name]);
}

function netemArgs({ delayMs, jitterMs, loss, duplicate, reorder, mbit }: Impairment): string[] {
  const percent = (share: number) => `${100 * share}%`;
  return [
    ...["delay", `${delayMs}ms`, `${jitterMs}ms`, "loss", percent(loss), "duplicate", percent(duplicate)],
    ...["reorder", percent(reorder), "rate", `${mbit}mbit`],
  ];
}

async function must(...command: string[]): Promise<{ stdout: string }> {
  const { exitCode, stdout, stderr } = await run(command);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  return { stdout };
}
