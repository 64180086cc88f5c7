import type { Socket, TCPSocketListener } from "bun";
import type { Prng } from "../fuzz/prng.ts";
import { type Direction, openTap, ProxiedLink, type Tap } from "../support/link-proxy.ts";
import type { Tally } from "./tally.ts";

/** What happens to a link: nothing, or after so many bytes. */
type Fate = "clear" | "slow" | "reset" | "end" | "pulled";

/**
 * Stands before the server as LinkProxy does, with weather of its own, and with a server that may not be there: then
 * the link ends as one that was refused.
 */
export class Weather implements Disposable {
  readonly #listener: TCPSocketListener<ProxiedLink>;
  readonly #serverPort: number;
  readonly #live = new Set<ProxiedLink>();
  /** Off at checkpoints: then no link has a fate. */
  isCalm = false;

  constructor(serverPort: number, prng: Prng, faults: Tally) {
    this.#serverPort = serverPort;
    this.#listener = Bun.listen<ProxiedLink>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          const link = new ProxiedLink(this.isCalm ? openTap : new FatefulTap(prng, faults));
          this.#live.add(link);
          socket.data = link;
          link.pipe("down").attach(socket as Socket<unknown>);
          void this.#reach(link);
        },
        data: (socket, bytes) => socket.data.pipe("up").take(bytes),
        drain: (socket) => socket.data.pipe("down").flush(),
        close: (socket) => {
          socket.data.pipe("up").end();
          this.#live.delete(socket.data);
        },
        error: () => {},
      },
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
    for (const link of this.#live) {
      for (const direction of ["up", "down"] as const) link.pipe(direction).dispose();
    }
  }

  async #reach(link: ProxiedLink): Promise<void> {
    try {
      const socket = await Bun.connect<undefined>({
        hostname: "127.0.0.1",
        port: this.#serverPort,
        socket: {
          data: (_, bytes) => link.pipe("down").take(bytes),
          drain: () => link.pipe("up").flush(),
          close: () => link.pipe("down").end(),
          error: () => {},
        },
      });
      link.pipe("up").attach(socket as Socket<unknown>);
    } catch {
      link.cut("reset");
    }
  }
}

/** Delays pieces, and ends the link when its time has come. */
class FatefulTap implements Tap {
  readonly #prng: Prng;
  readonly #faults: Tally;
  readonly #fate: Fate;
  readonly #delayMs: number;
  #left: number;
  #pulled: Promise<void> | undefined;

  constructor(prng: Prng, faults: Tally) {
    this.#prng = prng;
    this.#faults = faults;
    this.#fate = prng.chance(0.45) ? "clear" : prng.pick<Fate>(["slow", "slow", "reset", "end", "pulled"]);
    this.#delayMs = this.#fate === "slow" || prng.chance(0.3) ? prng.between(1, 25) : 0;
    // In the handshake, soon after it, or far in the middle of a file.
    this.#left = prng.pick([prng.below(2_500), prng.below(40_000), prng.below(3_000_000)]);
    if (this.#delayMs > 0) faults.add("link delayed");
  }

  async pass(direction: Direction, bytes: Buffer, link: ProxiedLink): Promise<Uint8Array> {
    if (this.#delayMs > 0) await Bun.sleep(this.#prng.below(this.#delayMs));
    if (this.#fate === "clear" || this.#fate === "slow") return bytes;
    await this.#pulled;
    if (link.isCut) return new Uint8Array(0);
    this.#left -= bytes.length;
    if (this.#left > 0) return bytes;
    await this.#strike(link, () => {
      // A part of the last piece still arrives.
      link.pipe(direction).write(bytes.subarray(0, this.#prng.below(bytes.length + 1)));
    });
    return new Uint8Array(0);
  }

  async #strike(link: ProxiedLink, sayLast: () => void): Promise<void> {
    this.#faults.add(`link ${this.#fate}`);
    sayLast();
    // Nothing gets through, and nobody is told for a while.
    if (this.#fate === "pulled") {
      this.#pulled = Bun.sleep(this.#prng.between(500, 2_500));
      await this.#pulled;
    }
    link.cut(this.#fate === "end" ? "end" : "reset");
  }
}
