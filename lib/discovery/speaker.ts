import type { Answer, Question } from "dns-packet";
import { isLoopback } from "../transport/address.ts";
import { isIPv4, isIPv6 } from "../transport/ip-address.ts";
import { type FoundServer, factsFromTxt, instanceName, type ReadFacts, SERVICE } from "./service.ts";

/** The most servers, and machines, of one speaker; the most addresses of a machine. */
export const MAX_OF_SPEAKER = 64;
const MAX_ADDRESSES = 16;

const HOST = /^[a-z0-9_][a-z0-9_-]*(?:\.[a-z0-9_-]+)*$/i;

interface Place {
  readonly host: string;
  readonly port: number;
}

/** The records that one address has sent, as servers. */
export class Speaker {
  readonly #isOwn: boolean;
  /** Names of servers, by the full name in lower case, as in the other maps. */
  readonly #names = new Map<string, string>();
  readonly #places = new Map<string, Place>();
  readonly #facts = new Map<string, ReadFacts>();
  readonly #addresses = new Map<string, Set<string>>();

  /** `isOwn`: it is this machine itself. */
  constructor(isOwn: boolean) {
    this.#isOwn = isOwn;
  }

  add(record: Answer): void {
    switch (record.type) {
      case "PTR": {
        const name = record.name.toLowerCase() === SERVICE ? instanceName(record.data) : undefined;
        if (name !== undefined) put(this.#names, record.data.toLowerCase(), name, record.ttl);
        return;
      }
      case "SRV": {
        const { target, port } = record.data;
        if (instanceName(record.name) === undefined || !HOST.test(target) || port === 0) return;
        put(this.#places, record.name.toLowerCase(), { host: target, port }, record.ttl);
        return;
      }
      case "TXT": {
        if (instanceName(record.name) === undefined) return;
        put(this.#facts, record.name.toLowerCase(), readTxt(record.data), record.ttl);
        return;
      }
      case "A":
      case "AAAA":
        if (this.#isUsable(record.data)) this.#addAddress(record.name.toLowerCase(), record.data, record.ttl);
    }
  }

  /** Those whose place is known. */
  servers(): FoundServer[] {
    return [...this.#names].flatMap(([key, name]): FoundServer[] => {
      const place = this.#places.get(key);
      if (place === undefined) return [];
      const { address, ...facts } = this.#facts.get(key) ?? {};
      const known = this.addressesOf(place.host);
      const isGiven = address !== undefined && this.#isUsable(address);
      const hosts = isGiven ? [address] : known.length > 0 ? known : [place.host];
      return [{ name, port: place.port, hosts, ...facts }];
    });
  }

  addressesOf(host: string): string[] {
    return [...(this.#addresses.get(host.toLowerCase()) ?? [])];
  }

  /** Questions for what is not known of its servers. */
  missing(): Question[] {
    return [...this.#names].flatMap(([key, name]): Question[] => {
      const place = this.#places.get(key);
      const hasAddress = place === undefined || this.#addresses.has(place.host.toLowerCase());
      const ask = (type: Question["type"], of: string, unless: boolean) => (unless ? [] : [{ name: of, type }]);
      return [
        ...ask("SRV", `${name}.${SERVICE}`, place !== undefined),
        ...ask("TXT", `${name}.${SERVICE}`, this.#facts.has(key)),
        ...ask("A", place?.host ?? "", hasAddress),
        ...ask("AAAA", place?.host ?? "", hasAddress),
      ];
    });
  }

  #addAddress(host: string, address: string, ttl: number | undefined): void {
    const addresses = this.#addresses.get(host) ?? new Set();
    if (ttl === 0) addresses.delete(address);
    else if (addresses.size < MAX_ADDRESSES) addresses.add(address);
    put(this.#addresses, host, addresses, addresses.size);
  }

  /** False for addresses of no single machine, and for another machine's word that something is on this one. */
  #isUsable(address: string): boolean {
    if (!this.#isOwn && isLoopback(address)) return false;
    if (isIPv4(address)) return /^(?:[1-9]\d?|1\d\d|2[01]\d|22[0-3])\./.test(address);
    return isIPv6(address) && !/^(?:ff|::$|::ffff:)/i.test(address);
  }
}

/** A lifetime of zero takes a record back (RFC 6762, section 10.1). */
function put<T>(map: Map<string, T>, key: string, value: T, ttl: number | undefined): void {
  if (ttl === 0) map.delete(key);
  else if (map.has(key) || map.size < MAX_OF_SPEAKER) map.set(key, value);
}

/** The decoder gives one string or several, as text or bytes. */
function readTxt(data: string | Buffer | (string | Buffer)[]): ReadFacts {
  return factsFromTxt([data].flat().map((each) => Buffer.from(each as string)));
}
