interface Peer {
  /** As PeerAddress.group. */
  readonly group: string;
}

/**
 * Peers that have not authenticated yet, with limits for all and for one address. When there is no room, a new peer is
 * still accepted, and the peer without progress for the longest time is dropped: of the same address, or of the one
 * with the most peers. So a silent peer keeps nobody out: an attacker would need as many new connections as there is
 * room for, within the time of an honest handshake.
 */
export class Handshakes<T extends Peer> {
  readonly #max: number;
  readonly #maxPerGroup: number;
  /**
   * For each group, its peers and when they last made progress, counted in #steps; those without progress for longest
   * come first.
   */
  readonly #groups = new Map<string, Map<T, number>>();
  #size = 0;
  #steps = 0;

  constructor(limits: { max: number; maxPerGroup: number }) {
    this.#max = limits.max;
    this.#maxPerGroup = limits.maxPerGroup;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * The peer that must go before one more of `group` is added, and whose limit is reached; undefined if there is room.
   */
  inTheWayOf(group: string): { peer: T; of: "address" | "all" } | undefined {
    const own = this.#groups.get(group);
    if (own !== undefined && own.size >= this.#maxPerGroup) return { peer: firstOf(own), of: "address" };
    const peer = this.#size < this.#max ? undefined : this.leastPromising();
    return peer && { peer, of: "all" };
  }

  /** The peer without progress for longest in the largest group; if several groups are that large, in all of them. */
  leastPromising(): T | undefined {
    let busiest: Map<T, number> | undefined;
    for (const group of this.#groups.values()) {
      const isBusier = busiest === undefined || group.size > busiest.size;
      if (isBusier || (group.size === busiest?.size && stepOf(group) < stepOf(busiest))) busiest = group;
    }
    return busiest && firstOf(busiest);
  }

  add(peer: T): void {
    const group = this.#groups.get(peer.group);
    if (group === undefined) this.#groups.set(peer.group, new Map([[peer, this.#steps++]]));
    else group.set(peer, this.#steps++);
    this.#size++;
  }

  /** The peer has made progress. No effect on any other peer. */
  noteStep(peer: T): void {
    const group = this.#groups.get(peer.group);
    if (group?.delete(peer)) group.set(peer, this.#steps++);
  }

  /** The peer has authenticated, or is gone. No effect on any other peer. */
  remove(peer: T): void {
    const group = this.#groups.get(peer.group);
    if (!group?.delete(peer)) return;
    this.#size--;
    if (group.size === 0) this.#groups.delete(peer.group);
  }
}

/** Groups are never empty. */
function firstOf<T>(group: Map<T, number>): T {
  return group.keys().next().value as T;
}

function stepOf(group: Map<unknown, number>): number {
  return group.values().next().value as number;
}
