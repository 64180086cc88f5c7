import { describe, expect, test } from "bun:test";
import {
  appendFileSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { Client } from "../../lib/client/client.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { facade } from "../support/facade.ts";
import { settle } from "../support/fake-clock.ts";
import { atFirst, Folders, move } from "../support/folder-transfer.ts";
import { frame } from "../support/frames.ts";
import { WELCOME } from "../support/handshake.ts";
import { MemoryPeer } from "../support/memory-peer.ts";
import { Random } from "../support/random.ts";
import { BLOCK, parseChunks, record } from "../support/raw-chunks.ts";
import { readWhole } from "../support/repository.ts";
import { sendAll, sha256Of } from "../support/transfers.ts";
import { until } from "../support/until.ts";

const random = new Random("sources");

function writeAt(file: string, bytes: Uint8Array, position: number): void {
  const fd = openSync(file, "r+");
  writeSync(fd, bytes, 0, bytes.length, position);
  closeSync(fd);
}

describe.each(["get", "put"] as const)("the source of a %s", (method) => {
  const size = 12 * BLOCK;

  test("that is deleted while it is sent arrives as it was", async () => {
    const content = random.bytes(size);
    using folders = new Folders(content);
    const told = await move(
      method,
      folders.from,
      folders.to,
      atFirst(() => rmSync(folders.file)),
    );
    expect(told).toMatchObject({ failed: [], restarts: [] });
    expect(sha256Of(readFileSync(`${folders.to}/f`))).toBe(sha256Of(content));
    expect(folders.names).toEqual(["f"]);
  });

  test("that another file takes the place of meanwhile arrives as it was, or as it is", async () => {
    const content = random.bytes(size);
    const other = random.bytes(size);
    using folders = new Folders(content);
    writeFileSync(folders.join("other"), other);
    const told = await move(
      method,
      folders.from,
      folders.to,
      atFirst(() => renameSync(folders.join("other"), folders.file)),
    );
    expect(told.failed).toEqual([]);
    expect([content, other].map((each) => sha256Of(each))).toContain(sha256Of(readFileSync(`${folders.to}/f`)));
    expect(folders.names).toEqual(["f"]);
  });

  const changes: [string, (file: string) => void][] = [
    ["truncated", (file) => truncateSync(file, 3 * BLOCK + 5)],
    ["truncated to nothing", (file) => truncateSync(file, 0)],
    ["truncated to a small file", (file) => truncateSync(file, 9)],
    [
      "grown and rewritten before its end",
      (file) => {
        appendFileSync(file, random.bytes(BLOCK));
        writeAt(file, random.bytes(9), 5);
      },
    ],
    [
      "emptied and grown beyond what it was",
      (file) => {
        truncateSync(file, 0);
        appendFileSync(file, random.bytes(size + 1));
      },
    ],
    ["rewritten in place", (file) => writeFileSync(file, random.bytes(size))],
  ];
  test.each(changes)("that is %s while it is sent is sent again, whole as it is then", async (_, change) => {
    using folders = new Folders(random.bytes(size));
    const told = await move(
      method,
      folders.from,
      folders.to,
      atFirst(() => change(folders.file)),
    );
    expect(told).toMatchObject({ failed: [], restarts: ["f"] });
    expect(sha256Of(readFileSync(`${folders.to}/f`))).toBe(sha256Of(readFileSync(folders.file)));
    expect(folders.names).toEqual(["f"]);
  });

  test("that grows all the while arrives as it was when it began", async () => {
    const content = random.bytes(size + 77);
    using folders = new Folders(content);
    const told = await move(method, folders.from, folders.to, {
      onProgress: () => appendFileSync(folders.file, "one more line\n"),
    });
    expect(told).toMatchObject({ failed: [], restarts: [], paths: ["f"] });
    expect(sha256Of(readFileSync(`${folders.to}/f`))).toBe(sha256Of(content));
    expect(readFileSync(folders.file).length).toBeGreaterThan(content.length);
  });

  test("that changes again and again is given up with CHANGED, and leaves nothing", async () => {
    using folders = new Folders(random.bytes(size));
    let round = 0;
    const told = await move(method, folders.from, folders.to, {
      onProgress: () => writeAt(folders.file, Buffer.from(`${round++}`), 0),
    });
    expect(told).toMatchObject({ done: [], failed: [{ path: "f", code: "CHANGED" }], restarts: ["f", "f"] });
    expect(folders.names).toEqual([]);
    // At rest the same command brings it.
    expect((await move(method, folders.from, folders.to)).paths).toEqual(["f"]);
    expect(sha256Of(readFileSync(`${folders.to}/f`))).toBe(sha256Of(readFileSync(folders.file)));
  });

  test("that changes while it is sent does no harm to the files after it", async () => {
    for (let round = 0; round < 5; round++) {
      const content = random.bytes(4 * BLOCK);
      using folders = new Folders(content);
      for (let index = 0; index < 12; index++)
        writeFileSync(`${folders.from}/g${index}`, random.bytes(150_000 + index));
      // A narrow window: what was handed on is still on its way when the change is noticed.
      const change = atFirst(() => appendFileSync(folders.file, "more"));
      const told = await move(method, folders.from, folders.to, change, 16_384);
      expect(told.failed).toEqual([]);
      expect(told.paths).toEqual(readdirSync(folders.from).sort());
      for (const name of told.paths) {
        const sources = [readFileSync(`${folders.from}/${name}`), ...(name === "f" ? [content] : [])];
        expect(sources.map((source) => sha256Of(source))).toContain(sha256Of(readFileSync(`${folders.to}/${name}`)));
      }
    }
  });

  test("that is there already is reported as unchanged, and nothing else", async () => {
    using folders = new Folders(random.bytes(3 * BLOCK));
    for (let index = 0; index < 12; index++) writeFileSync(`${folders.from}/g${index}`, random.bytes(600_000));
    const { paths } = await move(method, folders.from, folders.to);
    const again = await move(method, folders.from, folders.to);
    expect(again.failed).toEqual([]);
    expect(again.paths).toEqual(paths);
    expect(new Set(again.done.map(({ outcome }) => outcome))).toEqual(new Set(["unchanged"]));
  });

  test("whose target exists gets EXISTS, once, and nothing else", async () => {
    using folders = new Folders(random.bytes(3 * BLOCK));
    for (let index = 0; index < 24; index++) writeFileSync(`${folders.from}/g${index}`, random.bytes(600_000));
    for (const name of readdirSync(folders.from)) writeFileSync(`${folders.to}/${name}`, "mine");
    const told = await move(method, folders.from, folders.to, { exists: "fail" });
    expect(told.codes).toEqual(Array(25).fill("EXISTS"));
    expect(told.done).toEqual([]);
    expect(readFileSync(`${folders.to}/f`, "utf8")).toBe("mine");
  });

  test("that has vanished before its turn is reported by name, and the others continue", async () => {
    using folders = new Folders(random.bytes(size));
    writeFileSync(`${folders.from}/a`, "a");
    writeFileSync(`${folders.from}/z`, "z");
    const told = await move(method, folders.from, folders.to, {
      onStart: ({ from }: { from: string }) => from === "a" && rmSync(folders.file, { force: true }),
    });
    expect(told.failed.length + told.done.length).toBe(3);
    expect(told.codes.every((code) => ["NOT_FOUND", "NO_SUCH_FILE"].includes(code))).toBe(true);
    expect(told.paths).toContain("a");
    expect(told.paths).toContain("z");
  });
});

test("a block that waits for credit is not overwritten by the next file when its own has changed", async () => {
  const source = new MemoryStorage();
  source.set("a", random.bytes(3 * BLOCK), 1);
  source.set("b", random.bytes(3 * BLOCK), 1);
  const contents = { a: await readWhole(source, "a"), b: await readWhole(source, "b") };
  let isChanged = false;

  const local = facade(source, {
    open: async (path) => {
      const file = await source.open(path);
      return facade(file, {
        read: (buffer, position) => {
          // The block before was handed on, and can't leave.
          if (path === "a" && position > 0) {
            source.set("a", random.bytes(3 * BLOCK), 2);
            isChanged = true;
          }
          return file.read(buffer, position);
        },
      });
    },
  });
  const [ours, theirs] = memoryPair();
  const peer = new MemoryPeer(theirs);
  const credit = (bytes: number) => {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(bytes);
    return frame("CREDIT", payload, 1);
  };
  const body = () => Buffer.concat(peer.frames.filter(({ name }) => name === "DATA").map(({ payload }) => payload));
  const connecting = Client.connect({
    transport: ours,
    clock: systemClock,
    agent: "test",
    wait: false,
    timeoutMs: 20_000,
  });
  await until(() => peer.last("HELLO"));
  // Enough for the header of the first chunk, then for the rest of it, then for the second one in the same way.
  await peer.send(frame("WELCOME", { ...WELCOME, credit: 24 }));
  const client = await connecting;
  const sending = sendAll(client, local, { paths: ["a", "b"] });
  sending.catch(() => {});
  await until(() => body().length === 24);
  await peer.send(frame("ACCEPT", {}, 1), credit(body().readUIntBE(1, 3) + 24));
  await until(() => parseChunks(body()).rest.length === 24);
  await peer.send(credit(parseChunks(body()).rest.readUIntBE(1, 3)));
  await until(() => parseChunks(body()).chunks.length === 2);
  await peer.send(frame("DATA", record({ id: 0, state: "ready", ranges: [[0, 3 * BLOCK]] }), 1));
  await until(() => isChanged);
  await settle();
  await peer.send(frame("DATA", record({ id: 1, state: "ready", ranges: [[0, BLOCK]] }), 1));
  // Time to read the next file, for whoever does not wait for the block to leave.
  for (let turn = 0; turn < 20; turn++) await settle();
  await peer.send(credit(8 * BLOCK));
  await until(() => parseChunks(body()).chunks.some(({ name, id }) => name === "SEAL" && id === 1));
  const blocks = parseChunks(body()).chunks.filter(({ name }) => name === "BLOCK");
  expect(blocks.map(({ id, offset }) => [id, offset])).toEqual([
    [0, 0],
    [1, 0],
  ]);
  expect(blocks[0]?.payload.equals(contents.a.subarray(0, BLOCK))).toBe(true);
  expect(blocks[1]?.payload.equals(contents.b.subarray(0, BLOCK))).toBe(true);
  await peer.close();
});
