import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Stream } from "../../lib/session/stream.ts";
import { pattern } from "../support/bytes.ts";
import { type Side, sessionPair } from "../support/session-pair.ts";

interface Body {
  /** Lengths of the pieces that are written. */
  readonly pieces: readonly number[];
  /** False: all is written at once; true: each piece when the one before has left. */
  readonly patient: boolean;
  /** How long the reader takes for a piece: turns of the event loop, over and over. */
  readonly pauses: readonly number[];
}

interface Plan {
  readonly opener: "client" | "server";
  readonly there: Body;
  readonly back: Body;
  /** The responder gives up when it has read this many pieces. */
  readonly givesUpAfter: number | undefined;
}

const body: fc.Arbitrary<Body> = fc.record({
  pieces: fc.array(fc.oneof(fc.nat(20), fc.nat(600)), { maxLength: 6 }),
  patient: fc.boolean(),
  pauses: fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
});

const plan: fc.Arbitrary<Plan> = fc.record({
  opener: fc.constantFrom("client", "server"),
  there: body,
  back: body,
  givesUpAfter: fc.option(fc.nat(3), { nil: undefined, freq: 5 }),
});

const network = fc.record({
  capacity: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 2_000 })),
  client: fc.record({ credit: fc.integer({ min: 1, max: 1_000 }) }),
  server: fc.record({ credit: fc.integer({ min: 1, max: 1_000 }) }),
});

const bytesOf = ({ pieces }: Body, seed: number) =>
  pattern(
    pieces.reduce((sum, length) => sum + length, 0),
    seed,
  );

async function send(stream: Stream, plan: Body, seed: number): Promise<void> {
  const bytes = bytesOf(plan, seed);
  const writes: Promise<void>[] = [];
  let start = 0;
  for (const length of plan.pieces) {
    const write = stream.write(bytes.slice(start, start + length));
    start += length;
    writes.push(write);
    if (plan.patient) await write;
  }
  await Promise.all([...writes, stream.end({ seed, length: bytes.length })]);
}

async function receive(stream: Stream, plan: Body, seed: number): Promise<void> {
  const received: Uint8Array[] = [];
  for await (const piece of stream.body()) {
    received.push(piece.slice());
    for (let turn = plan.pauses[received.length % plan.pauses.length] as number; turn > 0; turn--) await nextTurn();
  }
  expect(Buffer.concat(received).toString("hex")).toBe(Buffer.from(bytesOf(plan, seed)).toString("hex"));
  expect(stream.trailer).toEqual({ seed, length: bytesOf(plan, seed).length });
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The responder's side of a plan; the method's name is the plan's number. */
async function respond(stream: Stream, plan: Plan, number: number): Promise<void> {
  stream.accept({ number });
  if (plan.givesUpAfter === undefined) {
    await Promise.all([receive(stream, plan.there, 2 * number), send(stream, plan.back, 2 * number + 1)]);
    return;
  }
  for (let count = 0; count < plan.givesUpAfter && (await stream.read()) !== undefined; count++);
  stream.reset("CANCELLED", "That is enough.");
}

async function request(side: Side, plan: Plan, number: number): Promise<void> {
  const stream = side.session.open({ method: `${number}`, params: {} });
  const work = Promise.all([
    stream.accepted.then((result) => expect(result).toEqual({ number })),
    send(stream, plan.there, 2 * number),
    receive(stream, plan.back, 2 * number + 1),
  ]);
  if (plan.givesUpAfter === undefined) await work;
  else await work.catch((error) => expect(error).toMatchObject({ code: "CANCELLED" }));
  await stream.closed;
}

test("streams over a narrow pipe deliver every byte in order, whatever the others do, and the session ends in order", async () => {
  await fc.assert(
    fc.asyncProperty(network, fc.array(plan, { minLength: 1, maxLength: 4 }), async (narrow, plans) => {
      const responses: Promise<void>[] = [];
      const onOpen = (stream: Stream, { method }: { method: string }) => {
        const number = Number(method);
        responses.push(respond(stream, plans[number] as Plan, number));
      };
      const { client, server, clock } = sessionPair({ ...narrow, onOpen });
      await Promise.all(plans.map((each, number) => request(each.opener === "client" ? client : server, each, number)));
      await Promise.all(responses);
      expect([client.ends, server.ends]).toEqual([[], []]);

      client.session.goAway("OK", "exit", 1_000);
      await Promise.all([client.session.closed, server.session.closed]);
      expect([client.ends, server.ends]).toMatchObject([[{ code: "OK" }], [{ code: "OK" }]]);
      expect(clock.pending).toBe(0);
    }),
    { numRuns: 60, timeout: 5_000 },
  );
});
