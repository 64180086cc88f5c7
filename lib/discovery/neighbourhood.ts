import type { Answer, Question } from "dns-packet";
import { isScopeless } from "../transport/address.ts";
import { isIPv4 } from "../transport/ip-address.ts";
import { type FoundServer, SERVICE } from "./service.ts";
import { Speaker } from "./speaker.ts";

/** Who has sent an answer. */
export interface Source {
  readonly address: string;
  /** It is this machine itself. */
  readonly isOwn: boolean;
}

/** The most addresses that are listened to, each of which has few servers. */
export const MAX_SPEAKERS = 256;
/** The most servers that are shown. */
export const MAX_SERVERS = 1_000;
/** They must fit into a packet. */
const MAX_QUESTIONS = 20;

/**
 * Collects what the machines of a network say, as a bounded number of servers. None can take back, replace or crowd out
 * what another says.
 */
export class Neighbourhood {
  readonly #speakers = new Map<string, Speaker>();

  /** Records of other services are ignored, and those of a wrong form. */
  add(records: readonly Answer[], { address, isOwn }: Source): void {
    const speaker = this.#speakers.get(address) ?? new Speaker(isOwn);
    if (!this.#speakers.has(address)) {
      if (this.#speakers.size >= MAX_SPEAKERS) return;
      this.#speakers.set(address, speaker);
    }
    for (const record of records) speaker.add(record);
  }

  /** By name. A server that speaks from several addresses is one. */
  list(): FoundServer[] {
    const merged = new Map<string, FoundServer>();
    for (const server of this.#each().flatMap((speaker) => speaker.servers())) {
      const { name, port, isEncrypted, fingerprint, seats } = server;
      const key = JSON.stringify([name.toLowerCase(), port, isEncrypted, fingerprint, seats]);
      const hosts = [...new Set([...(merged.get(key)?.hosts ?? []), ...server.hosts])];
      merged.set(key, { ...server, hosts: hosts.sort(byReach) });
    }
    return [...merged.values()].sort((one, other) => (one.name < other.name ? -1 : 1)).slice(0, MAX_SERVERS);
  }

  /** The addresses of a machine that are known so far. */
  addressesOf(host: string): string[] {
    return [...new Set(this.#each().flatMap((speaker) => speaker.addressesOf(host)))].sort(byReach);
  }

  /** What to ask to learn more. */
  questions(): Question[] {
    const missing = this.#each().flatMap((speaker) => speaker.missing());
    return [{ name: SERVICE, type: "PTR" }, ...missing.slice(0, MAX_QUESTIONS)];
  }

  #each(): Speaker[] {
    return [...this.#speakers.values()];
  }
}

/** IPv4 before IPv6; link-local addresses, which need an interface, and names last. */
function byReach(one: string, other: string): number {
  return rankOf(one) - rankOf(other);
}

function rankOf(host: string): number {
  if (isIPv4(host)) return 0;
  if (!host.includes(":")) return 3;
  return isScopeless(host) ? 2 : 1;
}
