import type { Answer, Question } from "dns-packet";
import makeMdns from "multicast-dns";
import { DatagramGuard, guardedSocket } from "./datagram-guard.ts";
import { type Link, ownLinks, ownNeighbours } from "./links.ts";
import type { Source } from "./neighbourhood.ts";

/** Source: RFC 6762, section 2. */
const PORT = 5353;

type Mdns = ReturnType<typeof makeMdns>;

/** Gets the records of each answer. */
type OnRecords = (records: readonly Answer[], from: Source) => void;

/** Asks the machines of all networks of this machine by multicast DNS. It must be closed. */
export class Questioner implements Disposable {
  readonly #open = new Set<Mdns>();
  readonly #onRecords: OnRecords;
  /** It works for a few seconds only, and for nothing else. */
  readonly #guard = new DatagramGuard({ share: 1 });
  readonly #near = ownNeighbours();
  #sent = 0;
  #asked: readonly Question[] = [];
  #fault: Error | undefined;

  constructor(onRecords: OnRecords) {
    this.#onRecords = onRecords;
    for (const link of ownLinks()) this.#openLink(link, true);
  }

  /** Why no network could be asked so far; undefined when one was. */
  get fault(): Error | undefined {
    return this.#sent > 0 ? undefined : (this.#fault ?? new Error("this machine is on no network"));
  }

  ask(questions: readonly Question[]): void {
    this.#asked = questions;
    for (const mdns of this.#open) this.#askOn(mdns, questions);
  }

  [Symbol.dispose](): void {
    for (const mdns of this.#open) mdns.destroy();
    this.#open.clear();
  }

  #askOn(mdns: Mdns, questions: readonly Question[]): void {
    mdns.query({ questions: [...questions] }, (error) => {
      if (error) this.#fault = error;
      else this.#sent++;
    });
  }

  /**
   * Answers come to everybody at the port of multicast DNS. If another program has it for itself, they come to a port of
   * our own (RFC 6762, section 6.7), which some firewalls don't let through.
   */
  #openLink({ type, group, interface: own, any }: Link, withPort: boolean): void {
    const options = { type, reuseAddr: true, ...(type === "udp6" && { ipv6Only: true }) } as const;
    const socket = guardedSocket(options, this.#guard);
    const mdns = makeMdns({ type, ip: group, interface: own, bind: withPort ? any : false, socket });
    mdns.on("error", (error: Error) => {
      this.#fault = error;
      if (!this.#open.delete(mdns)) return;
      mdns.destroy();
      if (withPort) this.#openLink({ type, group, interface: own, any }, false);
    });
    mdns.on("warning", (error: Error) => {
      this.#fault = error;
    });
    mdns.on("response", ({ answers = [], additionals = [] }, { address, port }) => {
      // "Multicast DNS implementations MUST silently ignore any Multicast DNS responses they receive where the source
      // UDP port is not 5353." (RFC 6762, section 6)
      if (port !== PORT || !this.#near.isOnLink(address)) return;
      this.#onRecords([...answers, ...additionals], { address, isOwn: this.#near.isOwn(address) });
    });
    this.#open.add(mdns);
    if (this.#asked.length > 0) this.#askOn(mdns, this.#asked);
  }
}
