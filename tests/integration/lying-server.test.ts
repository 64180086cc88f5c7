import { describe, expect, test } from "bun:test";
import { Client } from "../../lib/client/client.ts";
import { systemClock } from "../../lib/session/clock.ts";
import type { Transport } from "../../lib/session/transport.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { frame, parseFrames, type RawFrame } from "../support/frames.ts";

const WELCOME = {
  version: 1,
  name: "Client01",
  role: "read",
  agent: "liar",
  capabilities: [],
  credit: 1_000,
  maxStreams: 8,
};

/** A client of a server that answers every frame as the test says. */
function connectTo(answer: (frame: RawFrame) => Buffer[], options: { wait?: boolean } = {}): Promise<Client> {
  const [ours, theirs] = memoryPair();
  serve(ours, answer);
  return Client.connect({
    transport: theirs,
    clock: systemClock,
    agent: "test",
    wait: options.wait ?? false,
    timeoutMs: 5_000,
  });
}

function serve(transport: Transport, answer: (frame: RawFrame) => Buffer[]): void {
  let rest: Buffer = Buffer.alloc(0);
  transport.start({
    onBytes(bytes) {
      const parsed = parseFrames(Buffer.concat([rest, bytes]));
      rest = parsed.rest;
      for (const received of parsed.frames) for (const sent of answer(received)) transport.write(sent);
    },
    onDrain() {},
    onClosed() {},
  });
}

const welcome = (then: (frame: RawFrame) => Buffer[]) => (received: RawFrame) =>
  received.name === "HELLO" ? [frame("WELCOME", WELCOME)] : then(received);

describe("the client of a server that lies", () => {
  test.each([
    ["queues it unasked", [frame("QUEUED", { position: 1 })], "UNEXPECTED_FRAME"],
    ["says goodbye instead of WELCOME", [frame("GOAWAY", { code: 0, message: "" })], "UNEXPECTED_FRAME"],
    ["chooses a version that was not offered", [frame("WELCOME", { ...WELCOME, version: 2 })], "UNSUPPORTED_VERSION"],
    ["sends DATA before WELCOME", [frame("DATA", Buffer.from("x"), 1)], "UNEXPECTED_FRAME"],
    ["sends an array as WELCOME", [frame("WELCOME", [])], "BAD_PAYLOAD"],
    ["is another program", [Buffer.from("220 mail.example ESMTP\r\n")], "BAD_MAGIC"],
  ])("that %s says so", async (_, frames, code) => {
    await expect(connectTo(() => frames)).rejects.toMatchObject({ code });
  });

  test.each([
    ["an array as a result", (stream: number) => [frame("ACCEPT", [1], stream, 1)], "BAD_PAYLOAD"],
    ["a result that lacks members", (stream: number) => [frame("ACCEPT", {}, stream, 1)], "BAD_PAYLOAD"],
    ["a RESET without words", (stream: number) => [frame("RESET", { code: 34, message: "" }, stream)], "NOT_FOUND"],
    [
      "a RESET of a number to come",
      (stream: number) => [frame("RESET", { code: 999, message: "new" }, stream)],
      "UNAVAILABLE",
    ],
  ])("fails a request on %s", async (_, answer, code) => {
    const client = await connectTo(welcome(({ name, stream }) => (name === "OPEN" ? answer(stream) : [])));
    const failure = await client.stat("x").catch((error) => error);
    expect(failure).toMatchObject({ code, message: expect.stringMatching(/./) });
  });

  test.each([
    [
      "entries that the list does not have",
      '{"path":"a","kind":"file","size":1,"modifiedAt":1}\n',
      { entries: 7, skipped: 0 },
      "INCOMPLETE",
    ],
    [
      "a record above the limit",
      `{"path":"a","kind":"file","size":1,"modifiedAt":1,"x":"${"y".repeat(70_000)}"}\n`,
      {},
      "BAD_PAYLOAD",
    ],
    ["a record that is cut off", '{"path":"a","kind"', { entries: 0, skipped: 0 }, "BAD_PAYLOAD"],
    ["a record of another shape", '{"path":"a"}\n', { entries: 1, skipped: 0 }, "BAD_PAYLOAD"],
  ])("fails a list on %s", async (_, body, trailer, code) => {
    const client = await connectTo(
      welcome(({ name, stream }) =>
        name === "OPEN"
          ? [frame("ACCEPT", {}, stream), frame("DATA", Buffer.from(body), stream), frame("END", trailer, stream)]
          : [],
      ),
    );
    const listing = (async () => {
      for await (const entry of client.list()) expect(entry.path).toBe("a");
    })();
    await expect(listing).rejects.toMatchObject({ code });
  });

  test("leaves no stream behind when an answer has a body that it should not have", async () => {
    const seen: string[] = [];
    const result = { text: "x ACK", delivered: ["Server"], failed: [] };
    const client = await connectTo(
      welcome(({ name, stream }) => {
        seen.push(name);
        return name === "OPEN" ? [frame("ACCEPT", result, stream)] : [];
      }),
    );
    // One more than the server allows at once.
    for (let index = 0; index <= WELCOME.maxStreams; index++) await client.send("x");
    expect(seen.filter((name) => name === "RESET").length).toBeGreaterThan(0);
  });
});
