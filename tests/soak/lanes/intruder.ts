import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Plot } from "../plot.ts";
import type { Site } from "../site.ts";
import type { Lane } from "./lane.ts";

/** Failed proofs of an address that a server forgives: one in so many milliseconds. All are of this one. */
const PROOF_MS = 8_000;

/** Who has no business here: no token, a wrong one, one that may only read, or nothing but noise. */
export class IntruderLane implements Lane {
  readonly name = "intruder";
  readonly #plot: Plot;
  #guests = 0;
  #triedAt = 0;

  constructor(site: Site) {
    this.#plot = new Plot(site, "intruder", { ways: ["straight", "ipv6", "weather"] });
  }

  async step(): Promise<void> {
    const { prng } = this.#plot;
    const kind = prng.next();
    const isDue = Date.now() - this.#triedAt > PROOF_MS;
    if (isDue && kind < 0.4) await this.#wrongToken();
    else if (isDue && kind < 0.8) await this.#guest();
    else if (kind < 0.88) await this.#reader();
    else await this.#noise();
    await Bun.sleep(prng.between(200, 1_500));
  }

  async settle(): Promise<void> {}

  async #wrongToken(): Promise<void> {
    const { site, prng } = this.#plot;
    this.#triedAt = Date.now();
    const file = join(site.root, "wrong-token");
    const name = prng.pick(["default", "nobody"]);
    writeFileSync(file, `${name}:${prng.pick("abcdefgh".split("")).repeat(43)}`);
    const run = await this.#plot.run(["list", "--token-file", file, "--json"], { allowed: [5] });
    site.faults.add("wrong token");
    this.#requireRefusal(run.code, run.excuse, "a wrong token that was taken");
  }

  /** A token that is made, used, and revoked while a session runs that came with it. */
  async #guest(): Promise<void> {
    const { site, prng } = this.#plot;
    this.#triedAt = Date.now();
    const token = `guest${++this.#guests}`;
    try {
      site.writeInvite(token, await site.clients.addToken(token, "read"));
    } catch {
      return; // the server was away
    }
    await this.#plot.run(["list", "common"], { token });
    const watch = site.clients.begin(["watch", "--json", "--reconnect", "0"], { token });
    await Bun.sleep(prng.below(600));
    await site.clients.revokeToken(token).catch(() => {});
    site.faults.add("token revoked");
    const until = Date.now() + 10_000;
    while (!watch.isOver && Date.now() < until) await Bun.sleep(20);
    const isExcused = site.disturbances.during(watch.startedAt, Date.now()) !== undefined;
    if (!watch.isOver && !isExcused) this.#plot.find("a session whose token was revoked goes on", token);
    if (!watch.isOver) watch.fault = "interrupt";
    watch.signal("SIGINT");
    await site.clients.finish(watch, { allowed: [5] });
    if (isExcused) return;
    const run = await this.#plot.run(["list"], { token, allowed: [5] });
    this.#requireRefusal(run.code, run.excuse, "a revoked token that was taken");
  }

  /** A token that may only read. */
  async #reader(): Promise<void> {
    const { site, prng } = this.#plot;
    const folder = this.#plot.newFolder("sent");
    site.contents.make(join(folder, "not-mine.txt"), prng.below(2_000_000), prng);
    const run = await this.#plot.run(["put", "not-mine.txt", "--json"], { cwd: folder, token: "reader", allowed: [5] });
    this.#requireRefusal(run.code, run.excuse, "a put of who may only read");
    this.#plot.drop(folder);
  }

  #requireRefusal(code: number, excuse: string | undefined, what: string): void {
    if (code !== 5 && !(code === 3 && excuse !== undefined)) this.#plot.find(what, `exit ${code}, ${excuse}`);
  }

  /** Bytes of another protocol, or of none. */
  async #noise(): Promise<void> {
    const { site, prng } = this.#plot;
    const pieces = [
      prng.bytes(prng.between(1, 4_000)),
      Buffer.from("GET / HTTP/1.1\r\nHost: there\r\n\r\n"),
      // The beginning of a TLS record, and then noise or nothing.
      Buffer.concat([Buffer.from("16030100c8010000c40303", "hex"), prng.bytes(prng.below(300))]),
      Buffer.alloc(0),
    ];
    const ended = Promise.withResolvers<void>();
    try {
      const socket = await Bun.connect({
        hostname: prng.pick(["127.0.0.1", "::1"]),
        port: site.port,
        socket: { data() {}, close: () => ended.resolve(), error: () => ended.resolve() },
      });
      site.faults.add("noise");
      socket.write(prng.pick(pieces));
      await Promise.race([ended.promise, Bun.sleep(prng.below(1_500))]);
      if (prng.chance(0.5)) socket.terminate();
      else socket.end();
    } catch {
      // The server is away.
    }
  }
}
