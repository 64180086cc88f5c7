import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../lib/block.ts";
import { codeOf } from "../support/fault.ts";
import { frame, type RawFrame } from "../support/frames.ts";
import { clientOf, type HostileLink, HostileServer } from "../support/hostile-server.ts";
import { downloading, uploading } from "../support/moving.ts";
import { chunk, parseChunks } from "../support/raw-chunks.ts";
import { walk } from "../support/repository.ts";
import { noise } from "../support/transport-recorder.ts";

const CONTENT = noise(3 * BLOCK_BYTES + 5);
const SIZE = CONTENT.length;
const FACTS = { size: SIZE, modifiedAt: 5, executable: false, etag: "first" };

/** Each request of a `get`. */
function onRequests(answer: (request: any, stream: number, link: HostileLink) => void) {
  let rest = "";
  return ({ name, stream, payload }: RawFrame, link: HostileLink) => {
    if (name === "OPEN") link.say(frame("ACCEPT", {}, stream));
    if (name === "END") link.cut();
    if (name !== "DATA") return;
    const lines = (rest + payload.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) answer(JSON.parse(line), stream, link);
  };
}

/** DATA in frames that are not too large. */
function dataOf(stream: number, ...parts: Buffer[]): Buffer[] {
  const bytes = Buffer.concat(parts);
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    frames.push(frame("DATA", bytes.subarray(at, at + BLOCK_BYTES), stream));
  }
  return frames;
}

function block(id: number, offset: number, change = 0): Buffer {
  const bytes = chunk("BLOCK", id, CONTENT.subarray(offset, offset + BLOCK_BYTES), offset);
  const last = bytes.length - 1;
  bytes.writeUInt8((bytes.readUInt8(last) + change) % 256, last);
  return bytes;
}

describe("a server that sends another state of a file than the one whose rest was asked for", () => {
  test("is not believed: no file is made of two", async () => {
    const asked: any[] = [];
    using server = new HostileServer(
      onRequests((request, stream, link) => {
        asked.push(request);
        const { id } = request;
        const isFirst = asked.length === 1;
        // All of it the first time, a block of it damaged; then the damaged one of a file that is another by now.
        const offsets = isFirst ? [0, 1, 2, 3].map((number) => number * BLOCK_BYTES) : [request.offset];
        const facts = isFirst ? FACTS : { ...FACTS, etag: "second" };
        const blocks = offsets.map((offset) => block(id, offset, isFirst && offset === BLOCK_BYTES ? 1 : 0));
        link.say(...dataOf(stream, chunk("FILE", id, facts), ...blocks, chunk("SEAL", id)));
      }),
    );
    await using moved = downloading({
      source: async function* () {
        yield { from: "a", to: "a", kind: "file", size: SIZE, modifiedAt: 5 };
      },
    });
    expect(await codeOf(async () => moved.transfer.run(await clientOf(server)))).toBe("BAD_PAYLOAD");
    expect(asked.map(({ etag }) => etag)).toEqual([undefined, "first"]);
    expect(moved.told.outcomes).toEqual([]);
    expect((await walk(moved.local)).paths).toEqual([]);
  });
});

describe("a server that wants parts of a file which there are not", () => {
  test.each([
    ["from the middle of a block", [[5, BLOCK_BYTES]]],
    ["up to the middle of a block", [[0, BLOCK_BYTES - 1]]],
    ["an empty part", [[BLOCK_BYTES, BLOCK_BYTES]]],
    ["a part that ends before it begins", [[2 * BLOCK_BYTES, BLOCK_BYTES]]],
    ["a part behind the end", [[0, 4 * BLOCK_BYTES]]],
    [
      "a part twice",
      [
        [0, 2 * BLOCK_BYTES],
        [BLOCK_BYTES, 3 * BLOCK_BYTES],
      ],
    ],
    [
      "parts in another order",
      [
        [BLOCK_BYTES, 2 * BLOCK_BYTES],
        [0, BLOCK_BYTES],
      ],
    ],
  ])("is sent nothing of it: %s", async (_, ranges) => {
    let come = Buffer.alloc(0);
    using server = new HostileServer(({ name, stream, payload }, link) => {
      if (name === "OPEN") link.say(frame("ACCEPT", {}, stream));
      if (name === "END") link.cut();
      if (name !== "DATA") return;
      const before = parseChunks(come).chunks.length;
      come = Buffer.concat([come, payload]);
      const offer = parseChunks(come).chunks[before];
      if (offer !== undefined && offer.name !== "FILE") link.cut();
      if (offer?.name !== "FILE") return;
      const answer = { id: offer.id, state: "ready", ranges };
      link.say(frame("DATA", Buffer.from(`${JSON.stringify(answer)}\n`), stream));
    });
    await using moved = uploading();
    moved.local.set("a", CONTENT, 5);
    expect(await codeOf(async () => moved.transfer.run(await clientOf(server)))).toBe("BAD_PAYLOAD");
    expect(parseChunks(come).chunks.map(({ name }) => name)).toEqual(["FILE"]);
  });
});
