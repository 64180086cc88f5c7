import { describe, expect, test } from "bun:test";
import {
  appendFileSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { ERRORS } from "../../lib/errors.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { atFirst, Folders, move } from "../support/folder-transfer.ts";
import { BLOCK, chunk } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { RawTransfers } from "../support/raw-transfers.ts";
import { keptBytes, makeSparse, noHoles } from "../support/sparse.ts";
import { TestServer } from "../support/test-server.ts";
import { sha256Of } from "../support/transfers.ts";
import { noise } from "../support/transport-recorder.ts";

const check = test.skipIf(noHoles !== undefined);
const SIZE = 60 * BLOCK + 77;
const DATA = { [20 * BLOCK + 8192]: noise(4096), [40 * BLOCK]: noise(6 * BLOCK, 2) };

function contentOf(path: string): string {
  return sha256Of(readFileSync(path));
}

describe.each(["get", "put"] as const)("a file with holes by %s", (method) => {
  check("arrives with its data alone, and its holes are kept", async () => {
    using folders = new Folders();
    makeSparse(folders.file, SIZE, DATA);
    let moved = 0;
    const told = await move(method, folders.from, folders.to, {
      onProgress: (_, bytes) => {
        moved += bytes;
      },
    });
    expect(told).toMatchObject({ failed: [], restarts: [], paths: ["f"] });
    expect(moved).toBe(7 * BLOCK);
    expect(contentOf(`${folders.to}/f`)).toBe(contentOf(folders.file));
    expect(keptBytes(`${folders.to}/f`)).toBeLessThan(9 * BLOCK);
    expect(folders.names).toEqual(["f"]);
  });

  check("that is hole to its end, or has no data at all, has its size", async () => {
    using folders = new Folders();
    makeSparse(folders.file, SIZE, {});
    expect((await move(method, folders.from, folders.to)).failed).toEqual([]);
    expect(statSync(`${folders.to}/f`).size).toBe(SIZE);
    expect(contentOf(`${folders.to}/f`)).toBe(contentOf(folders.file));
  });

  check("that grows arrives as it was; one whose hole is filled begins anew", async () => {
    using folders = new Folders();
    makeSparse(folders.file, SIZE, DATA);
    const before = contentOf(folders.file);
    const grown = await move(
      method,
      folders.from,
      folders.to,
      atFirst(() => appendFileSync(folders.file, "more")),
    );
    expect(grown).toMatchObject({ failed: [], restarts: [] });
    expect(contentOf(`${folders.to}/f`)).toBe(before);
    const filled = await move(method, folders.from, folders.to, {
      exists: "overwrite",
      ...atFirst(() => {
        const fd = openSync(folders.file, "r+");
        writeSync(fd, noise(5), 0, 5, 9 * BLOCK);
        closeSync(fd);
        appendFileSync(folders.file, "more");
      }),
    });
    expect(filled).toMatchObject({ failed: [], restarts: ["f"] });
    expect(contentOf(`${folders.to}/f`)).toBe(contentOf(folders.file));
  });
});

const NAMED = { capabilities: ["holes"] };

describe("a client that says nothing of holes", () => {
  check("gets every byte", async () => {
    using folders = new Folders();
    makeSparse(folders.file, 3 * BLOCK, {});
    await using server = new TestServer({ storage: await LocalStorage.at(folders.from) });
    await using peer = await RawPeer.admitted(server.listen(), { credit: 8 * BLOCK });
    const raw = new RawTransfers(peer);
    const chunks = await raw.get({ id: 1, path: "f" });
    expect(chunks.map(({ name }) => name).join(" ")).toBe("FILE BLOCK BLOCK BLOCK SEAL");
    expect(chunks[0]?.json.holes).toBeUndefined();
    // To ask is not enough: both sides must have named it.
    const asked = await raw.get({ id: 1, path: "f", holes: true });
    expect(asked.map(({ name }) => name).join(" ")).toBe("FILE BLOCK BLOCK BLOCK SEAL");
    await using other = await RawPeer.admitted(server.listen(), NAMED);
    const told = await new RawTransfers(other).get({ id: 1, path: "f", holes: true });
    expect(told.map(({ name }) => name).join(" ")).toBe("FILE SEAL");
    expect(told[0]?.json.holes).toEqual([[0, 3 * BLOCK]]);
  });

  test("and puts a member of that name all the same is asked for every byte", async () => {
    using folders = new Folders();
    await using server = new TestServer({ storage: await LocalStorage.at(folders.to) });
    await using peer = await RawPeer.admitted(server.listen());
    const raw = new RawTransfers(peer);
    const stream = raw.open("put");
    const facts = { path: "f", exists: "fail", size: 3 * BLOCK, modifiedAt: 1, executable: false, etag: "e" };
    raw.send(stream, chunk("FILE", 1, { ...facts, holes: [[0, 2 * BLOCK]] }));
    expect(await raw.answer(stream, 1)).toEqual({ id: 1, state: "ready", ranges: [[0, 3 * BLOCK]] });
  });
});

describe("a client that lies of holes", () => {
  const facts = { path: "f", exists: "fail", modifiedAt: 1, executable: false, etag: "e" };

  async function put(chunks: Buffer): Promise<{ outcome: number | "ended"; names: string[] }> {
    using folders = new Folders();
    await using server = new TestServer({ storage: await LocalStorage.at(folders.to) });
    await using peer = await RawPeer.admitted(server.listen(), { ...NAMED, credit: 8 * BLOCK });
    const raw = new RawTransfers(peer);
    const stream = raw.open("put");
    raw.send(stream, chunks);
    raw.end(stream);
    return { outcome: await raw.outcome(stream), names: readdirSync(folders.to) };
  }

  test("is refused when they are none of the file, and nothing is made", async () => {
    const size = 3 * BLOCK;
    for (const holes of [
      [[0, 4 * BLOCK]],
      [[5, BLOCK]],
      [[BLOCK, 0]],
      [
        [0, 2 * BLOCK],
        [BLOCK, size],
      ],
      "all",
    ]) {
      expect(await put(chunk("FILE", 1, { ...facts, size, holes }))).toEqual({
        outcome: ERRORS.BAD_PAYLOAD.wire,
        names: [],
      });
    }
  });

  check("stores zeros that cost no room, whatever it says of them, and what it sends for them is dropped", async () => {
    using folders = new Folders();
    await using server = new TestServer({ storage: await LocalStorage.at(folders.to) });
    await using peer = await RawPeer.admitted(server.listen(), { ...NAMED, credit: 8 * BLOCK });
    const raw = new RawTransfers(peer);
    const stream = raw.open("put");
    const size = 2 ** 40;
    raw.send(stream, chunk("FILE", 1, { ...facts, size, holes: [[0, size]] }));
    expect(await raw.answer(stream, 1)).toEqual({ id: 1, state: "ready", ranges: [] });
    raw.send(stream, chunk("BLOCK", 1, Buffer.from(noise(BLOCK)), 5 * BLOCK), chunk("SEAL", 1));
    expect(await raw.answer(stream, 1, 2)).toMatchObject({ id: 1, state: "done", outcome: "stored" });
    raw.end(stream);
    expect(await raw.outcome(stream)).toBe("ended");
    expect(statSync(`${folders.to}/f`).size).toBe(size);
    expect(keptBytes(`${folders.to}/f`)).toBe(0);
    truncateSync(`${folders.to}/f`, 0);
  });
});
