import { hostname } from "node:os";
import { advertise } from "dnssd-advertise";
import { errnoOf } from "../errno.ts";
import { DatagramGuard, guardAllSockets } from "./datagram-guard.ts";
import { factsToTxt, type ServerFacts } from "./service.ts";

/** How much of a processor the questions of others may take from a server. */
export const PROCESSOR_SHARE = 0.05;
/** How long the last word may take: the network may be gone. */
const GOODBYE_MS = 500;

export interface Announcement extends ServerFacts {
  /** As isInstanceName() allows; where another server has it, the library appends ` (5B6C)` or the like. */
  readonly name: string;
  readonly port: number;
}

/**
 * Announces a server on all networks of this machine by multicast DNS, and follows their changes. Faults are reported
 * once each: a network without multicast must not stop a server.
 */
export class Announcer {
  readonly #onFault: (fault: string) => void;
  readonly #reported = new Set<string>();
  #stop: (() => Promise<void>) | undefined;
  /** Announcements and withdrawals follow one another. */
  #last: Promise<void> = Promise.resolve();

  constructor(onFault: (fault: string) => void) {
    this.#onFault = onFault;
    guardAllSockets(new DatagramGuard({ share: PROCESSOR_SHARE }), (error) => this.#report(error));
  }

  /** Announce, in place of the former announcement. */
  announce({ name, port, ...facts }: Announcement): Promise<void> {
    return this.#next(async () => {
      await this.#goodbye();
      this.#stop = advertise({
        name,
        type: "commserver",
        protocol: "tcp",
        port,
        hostname: hostname().split(".")[0] ?? "",
        txt: factsToTxt(facts),
        onError: (thrown) => this.#report(thrown),
      });
    });
  }

  /** Tell the networks that the server is gone. */
  withdraw(): Promise<void> {
    return this.#next(() => this.#goodbye());
  }

  #next(step: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(step);
    return this.#last;
  }

  async #goodbye(): Promise<void> {
    const stop = this.#stop;
    this.#stop = undefined;
    if (stop !== undefined) await Promise.race([stop(), Bun.sleep(GOODBYE_MS)]);
  }

  #report(thrown: unknown): void {
    const fault = faultOf(thrown);
    if (this.#reported.has(fault)) return;
    this.#reported.add(fault);
    this.#onFault(fault);
  }
}

function faultOf(thrown: unknown): string {
  if (errnoOf(thrown) === "EADDRINUSE") return "another program has UDP port 5353 for itself";
  return thrown instanceof Error ? thrown.message : String(thrown);
}
