import { describe, expect, test } from "bun:test";
import { RecordWriter } from "../../../lib/server/record-writer.ts";
import { settle } from "../../support/fake-clock.ts";
import { sessionPair } from "../../support/session-pair.ts";

/** A writer on a stream of the server, and the pieces in which its body reaches the client. */
async function writing(): Promise<{ writer: RecordWriter; end: () => Promise<void>; pieces: string[] }> {
  const { client, server } = sessionPair();
  const stream = await client.open("list", { end: true });
  server.stream.accept({});
  const pieces: string[] = [];
  const reading = (async () => {
    for await (const piece of stream.body()) pieces.push(Buffer.from(piece).toString());
  })();
  const end = async () => {
    await server.stream.end();
    await reading;
  };
  return { writer: new RecordWriter(server.stream), end, pieces };
}

describe("RecordWriter", () => {
  test("sends the first records at once and gathers the later ones", async () => {
    const { writer, end, pieces } = await writing();
    writer.add({ path: "a" });
    await writer.flushIfFull();
    await settle();
    expect(pieces).toEqual(['{"path":"a"}\n']);
    writer.add({ path: "b" });
    writer.add({ path: "c" });
    await writer.flushIfFull();
    await settle();
    expect(pieces).toHaveLength(1);
    await writer.flush();
    await end();
    expect(pieces.join("")).toBe('{"path":"a"}\n{"path":"b"}\n{"path":"c"}\n');
  });

  test("sends what fills a frame without being asked twice", async () => {
    const { writer, end, pieces } = await writing();
    writer.add("first");
    await writer.flushIfFull();
    let sent = 0;
    for (; pieces.length < 2 && sent < 100; sent++) {
      writer.add("x".repeat(1_000));
      await writer.flushIfFull();
      await settle();
    }
    expect(sent).toBeGreaterThan(20);
    expect(sent).toBeLessThan(50);
    await writer.flush();
    await end();
    expect(pieces.join("").split("\n")).toHaveLength(sent + 2);
  });

  test("counts the records, not the frames", async () => {
    const { writer, end } = await writing();
    for (let index = 0; index < 1_000; index++) writer.add({ index });
    await writer.flush();
    await end();
    expect(writer.count).toBe(1_000);
  });

  test("flush() of nothing sends nothing", async () => {
    const { writer, end, pieces } = await writing();
    await writer.flush();
    await writer.flushIfFull();
    await end();
    expect(pieces).toEqual([]);
  });

  test("keeps a line feed inside a record from cutting it", async () => {
    const { writer, end, pieces } = await writing();
    writer.add({ name: "two\nlines" });
    await writer.flush();
    await end();
    expect(pieces.join("")).toBe('{"name":"two\\nlines"}\n');
  });
});
