import { describe, expect, test } from "bun:test";
import packet from "dns-packet";
import fc from "fast-check";
import { DatagramGuard, isWellFormed } from "../../../lib/discovery/datagram-guard.ts";
import { SERVICE } from "../../../lib/discovery/service.ts";

const GOOD = packet.encode({
  type: "response",
  answers: [
    { type: "PTR", name: SERVICE, ttl: 120, data: `lab.${SERVICE}` },
    { type: "SRV", name: `lab.${SERVICE}`, ttl: 120, data: { port: 5050, target: "lab.local" } },
    { type: "TXT", name: `lab.${SERVICE}`, ttl: 120, data: ["txtvers=1"] },
    { type: "A", name: "lab.local", ttl: 120, data: "10.0.0.7" },
  ],
});

/** The head of an answer with this many records. */
function head(count: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16BE(0x8400, 2);
  bytes.writeUInt16BE(count, 6);
  return bytes;
}

/** A PTR record whose name and data are the name at byte 12. */
const REPEATED = Buffer.from([0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 120, 0, 2, 0xc0, 12]);

/** A name of so many labels, each one letter long, and then records that repeat it. */
function longNames(labels: number, count: number): Buffer {
  const name = Buffer.alloc(2 * labels + 1, Buffer.from([1, 0x61]));
  name[2 * labels] = 0;
  const first = Buffer.concat([name, REPEATED.subarray(2)]);
  return Buffer.concat([head(count + 1), first, ...Array(count).fill(REPEATED)]);
}

describe("a datagram", () => {
  test("as servers and others send it is read", () => {
    expect(isWellFormed(GOOD)).toBe(true);
    expect(isWellFormed(packet.encode({ type: "query", questions: [{ type: "PTR", name: SERVICE }] }))).toBe(true);
    expect(isWellFormed(longNames(100, 200))).toBe(true);
  });

  test.each([
    ["is empty", Buffer.alloc(0)],
    ["is cut off", GOOD.subarray(0, -20)],
    ["is larger than RFC 6762 allows", Buffer.concat([GOOD, Buffer.alloc(9_000)])],
    ["has more records than anybody needs", longNames(1, 256)],
    ["promises records that are not there", Buffer.concat([head(256), GOOD.subarray(12)])],
    ["has a name longer than RFC 1035 allows", longNames(128, 1)],
    ["has a name that leads to itself", Buffer.concat([head(1), REPEATED])],
    ["has a name that leads past its end", Buffer.concat([head(1), Buffer.from([0xff, 0xff]), REPEATED.subarray(2)])],
  ])("is dropped that %s", (_, datagram) => expect(isWellFormed(datagram)).toBe(false));

  test("of any bytes is judged without a fault", () => {
    const damaged = fc.tuple(fc.uint8Array({ maxLength: 20 }), fc.nat(GOOD.length)).map(([bytes, at]) => {
      const datagram = Buffer.from(GOOD);
      datagram.set(bytes.subarray(0, datagram.length - at), at);
      return datagram;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }).map(Buffer.from), damaged), (datagram) => {
        isWellFormed(datagram);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("the guard", () => {
  test("lets datagrams through while they take little time", () => {
    let now = 0;
    const guard = new DatagramGuard({ share: 0.05, now: () => now });
    let taken = 0;
    for (let index = 0; index < 1_000; index++) {
      now += 100;
      guard.pass(GOOD, () => {
        now += 4;
        taken++;
      });
    }
    expect(taken).toBe(1_000);
  });

  test("drops those that would take more than its share of the processor", () => {
    let now = 0;
    const guard = new DatagramGuard({ share: 0.05, now: () => now });
    let worked = 0;
    while (now < 100_000) {
      now += 1;
      guard.pass(GOOD, () => {
        now += 10;
        worked += 10;
      });
    }
    expect(worked).toBeGreaterThan(4_000);
    expect(worked).toBeLessThan(6_000);
  });

  test("passes on nothing that is not well-formed", () => {
    expect(new DatagramGuard({ share: 1 }).pass(GOOD.subarray(1), () => expect.unreachable())).toBe(false);
  });
});
