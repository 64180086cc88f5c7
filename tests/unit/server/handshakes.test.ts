import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Handshakes } from "../../../lib/server/handshakes.ts";

class Peer {
  readonly group: string;

  constructor(group: string) {
    this.group = group;
  }
}

const peers = (group: string, count: number) => Array.from({ length: count }, () => new Peer(group));

function holding(all: readonly Peer[], limits = { max: 6, maxPerGroup: 4 }): Handshakes<Peer> {
  const handshakes = new Handshakes<Peer>(limits);
  for (const peer of all) handshakes.add(peer);
  return handshakes;
}

describe("one more of an address", () => {
  test("has room while there is some", () => {
    expect(holding(peers("a", 3)).inTheWayOf("a")).toBeUndefined();
    expect(holding(peers("a", 4)).inTheWayOf("b")).toBeUndefined();
  });

  test("takes the place of the one of that address that is at rest for longest", () => {
    const [first, ...rest] = peers("a", 4) as [Peer, ...Peer[]];
    const handshakes = holding([first, ...rest]);
    expect(handshakes.inTheWayOf("a")).toEqual({ peer: first, of: "address" });
    handshakes.noteStep(first);
    expect(handshakes.inTheWayOf("a")?.peer).toBe(rest[0] as Peer);
  });

  test("takes, when there are too many, one of the address with the most, whoever comes", () => {
    const [quiet, crowd] = [peers("a", 2), peers("b", 4)];
    const handshakes = holding([...quiet, ...crowd]);
    expect(handshakes.inTheWayOf("c")).toEqual({ peer: crowd[0] as Peer, of: "all" });
    expect(handshakes.inTheWayOf("a")).toEqual({ peer: crowd[0] as Peer, of: "all" });
  });

  test("takes that of the one at rest for longest when no address has more than another", () => {
    const all = ["a", "b", "c", "d", "e", "f"].map((group) => new Peer(group));
    const handshakes = holding(all);
    expect(handshakes.inTheWayOf("g")?.peer).toBe(all[0] as Peer);
    for (const peer of all.slice(0, 3)) handshakes.noteStep(peer);
    expect(handshakes.inTheWayOf("g")?.peer).toBe(all[3] as Peer);
  });
});

test("a peer that is gone, or was never there, does not count, however often it is removed", () => {
  const [one, two] = peers("a", 2) as [Peer, Peer];
  const handshakes = holding([one]);
  handshakes.remove(one);
  handshakes.remove(one);
  handshakes.remove(two);
  handshakes.noteStep(one);
  expect([handshakes.size, handshakes.leastPromising()]).toEqual([0, undefined]);
});

test("whatever comes and goes, no limit is exceeded, and the newcomer is never the one to go", () => {
  const step = fc.record({ group: fc.nat(4), act: fc.constantFrom("come", "step", "leave"), index: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(step, { size: "large" }), (steps) => {
      const limits = { max: 5, maxPerGroup: 3 };
      const handshakes = new Handshakes<Peer>(limits);
      let held: Peer[] = [];
      for (const { group, act, index } of steps) {
        const chosen = held[index % Math.max(1, held.length)];
        if (act === "come") {
          const peer = new Peer(`${group}`);
          const goes = handshakes.inTheWayOf(peer.group)?.peer;
          if (goes !== undefined) {
            expect(held).toContain(goes);
            handshakes.remove(goes);
            held = held.filter((other) => other !== goes);
          }
          handshakes.add(peer);
          held.push(peer);
        } else if (chosen !== undefined && act === "step") {
          handshakes.noteStep(chosen);
          held = [...held.filter((other) => other !== chosen), chosen];
        } else if (chosen !== undefined) {
          handshakes.remove(chosen);
          held = held.filter((other) => other !== chosen);
        }
        expect(handshakes.size).toBe(held.length);
        expect(held.length).toBeLessThanOrEqual(limits.max);
        const sizes = Object.values(Object.groupBy(held, (peer) => peer.group)).map((all) => all?.length ?? 0);
        for (const size of sizes) expect(size).toBeLessThanOrEqual(limits.maxPerGroup);
        const most = Math.max(...sizes);
        const largest = held.find((peer) => held.filter((other) => other.group === peer.group).length === most);
        expect(handshakes.leastPromising()).toBe(largest as Peer);
      }
    }),
  );
});
