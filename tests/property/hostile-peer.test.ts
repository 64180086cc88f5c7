import { expect, test } from "bun:test";
import fc from "fast-check";
import { ERRORS, type ErrorCode } from "../../lib/errors.ts";
import type { Stream } from "../../lib/session/stream.ts";
import {
  bytesOf,
  cutAt,
  cuts,
  mutate,
  mutations,
  payloadObject,
  strangeHeader,
  validFrames,
} from "../support/arbitraries.ts";
import { pattern } from "../support/bytes.ts";
import { settle } from "../support/fake-clock.ts";
import { frame } from "../support/frames.ts";
import { sessionWithPeer } from "../support/session-pair.ts";

const credit = (bytes: number) => {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return payload;
};

/** A stream of a client that keeps to the protocol: OPEN with a body, or without. */
const exchange = fc
  .record({
    params: payloadObject,
    pieces: fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 4 }),
    end: fc.constantFrom("with OPEN", "with END", "with RESET", "never"),
    grant: fc.option(fc.integer({ min: 1, max: 10_000 })),
  })
  .map(({ params, pieces, end, grant }) => (id: number) => {
    const open = frame("OPEN", { method: "m", params }, id, end === "with OPEN" ? 1 : 0);
    if (end === "with OPEN") return [open];
    const frames = [open, ...pieces.map((length) => frame("DATA", pattern(length), id))];
    if (grant !== null) frames.push(frame("CREDIT", credit(grant), id));
    if (end === "with END") frames.push(frame("END", { ok: true }, id));
    if (end === "with RESET") frames.push(frame("RESET", { code: 38, message: "enough" }, id));
    return frames;
  });

/** All that a client sends after WELCOME, and keeps to the protocol. */
const conversation = fc
  .tuple(fc.array(exchange, { minLength: 1, maxLength: 5 }), fc.boolean(), fc.boolean())
  .map(([exchanges, ping, leave]) => {
    const frames = exchanges.flatMap((make, index) => make(2 * index + 1));
    if (ping) frames.splice(1, 0, frame("PING", pattern(8)));
    if (leave) frames.push(frame("GOAWAY", { code: 0, message: "exit" }));
    return Buffer.concat(frames);
  });

/** A server that answers every request with what it was sent. */
function echo(stream: Stream): void {
  const work = async () => {
    stream.accept({});
    for await (const piece of stream.body()) await stream.write(piece);
    await stream.end({});
  };
  work().catch(() => {}); // the stream has failed, which is the peer's matter
}

/** Feed a server's session; returns how it ended. */
async function feed(parts: readonly Uint8Array[]) {
  const made = sessionWithPeer("server", { local: { credit: 5_000 }, remote: { credit: 1_000 }, onOpen: echo });
  for (const part of parts) await made.peer.send(part);
  await made.peer.close();
  await made.session.closed;
  expect(made.ends).toHaveLength(1);
  expect(made.clock.pending).toBe(0);
  return { end: made.ends[0], peer: made.peer };
}

test("a session takes every conversation that keeps to the protocol", async () => {
  await fc.assert(
    fc.asyncProperty(conversation, cuts, async (bytes, places) => {
      const { end } = await feed(cutAt(bytes, places));
      expect(["OK", "LOST"]).toContain(end?.code as string);
    }),
    { numRuns: 100 },
  );
});

/** What a peer that breaks the protocol may be told. */
const VIOLATIONS = (Object.keys(ERRORS) as ErrorCode[]).filter(
  (code) => ERRORS[code].wire >= 1 && ERRORS[code].wire <= 9,
);

test("a session ends hostile bytes with a ProtocolError that it sends to the peer, and with nothing else", async () => {
  const codes = new Set<string | undefined>();
  const hostile = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(conversation, mutations).map(([bytes, changes]) => mutate(bytes, changes)) },
    { weight: 2, arbitrary: fc.tuple(conversation, strangeHeader).map((parts) => Buffer.concat(parts)) },
    { weight: 2, arbitrary: validFrames.map(bytesOf) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)) },
  );
  await fc.assert(
    fc.asyncProperty(hostile, cuts, async (bytes, places) => {
      const { end, peer } = await feed(cutAt(bytes, places));
      codes.add(end?.code);
      if (end?.by !== "local") return; // the peer said goodbye, or just left
      expect(VIOLATIONS).toContain(end.code as ErrorCode);
      expect(peer.names.at(-1)).toBe("GOAWAY");
      expect(peer.last("GOAWAY")?.json.code).toBe(ERRORS[end.code as ErrorCode].wire);
    }),
    { numRuns: 400 },
  );
  await settle();
  // Met, or the property would say little.
  for (const code of ["BAD_MAGIC", "BAD_HEADER", "BAD_STREAM", "BAD_PAYLOAD"]) expect(codes).toContain(code);
});
