import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import type { Connection } from "../../lib/client/connection.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import type { PartFile, Storage } from "../../lib/storage/storage.ts";
import { Conversation } from "../support/conversation.ts";
import { facade } from "../support/facade.ts";
import { type Direction, LinkProxy, type ProxiedLink, type Tap } from "../support/link-proxy.ts";
import { Random } from "../support/random.ts";
import { BLOCK } from "../support/raw-chunks.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { clientAt, connectionAt, digestsOf, fetchAll, sendAll, Told } from "../support/transfers.ts";
import { bytesOf, digestsOfTree, fill, smallTree } from "../support/trees.ts";
import { until } from "../support/until.ts";

const RANDOM_CUTS = 500;
const WINDOW = { get: 4 * BLOCK, put: BLOCK };
const NOTHING = new Uint8Array(0);

const random = new Random("cuts");
const tree = smallTree(random);
const expected = digestsOfTree(tree);
const largeBytes = (tree["big.bin"] as Uint8Array).length;
const smallBytes = bytesOf(tree) - largeBytes;

type Method = "get" | "put";

/** Where to cut one link; undefined lets it live. */
interface Cut {
  /** Only bytes of this direction count, or those of both. */
  readonly direction?: Direction;
  /** Behind that many frames, or that many bytes. */
  readonly frames?: number;
  readonly bytes?: number;
  /** Whether what has come through may reach the disk first. */
  readonly settles: boolean;
  readonly how: "reset" | "end";
}

/** Follows a link, and ends it at its time. */
class CutTap implements Tap {
  readonly conversation = new Conversation();
  readonly #cut: Cut | undefined;
  readonly #settled: () => Promise<unknown>;
  #isOver = false;

  constructor(cut: Cut | undefined, settled: () => Promise<unknown>) {
    this.#cut = cut;
    this.#settled = settled;
  }

  get wasCut(): boolean {
    return this.#isOver;
  }

  async pass(direction: Direction, bytes: Buffer, link: ProxiedLink): Promise<Uint8Array> {
    if (this.#isOver) return NOTHING;
    let passed = 0;
    while (passed < bytes.length) {
      const rest = bytes.subarray(passed);
      const length = Math.min(rest.length, this.#bytesLeft(direction, rest));
      this.conversation.add(direction, rest.subarray(0, length));
      passed += length;
      if (!this.#isDue(direction)) continue;
      this.#isOver = true;
      link.pipe(direction).write(bytes.subarray(0, passed));
      if (this.#cut?.settles) await this.#settled();
      link.cut(this.#cut?.how);
      return NOTHING;
    }
    return bytes;
  }

  /** Bytes that may pass before the next look. */
  #bytesLeft(direction: Direction, rest: Buffer): number {
    if (this.#cut?.frames !== undefined) return this.conversation.toBoundary(direction, rest);
    return this.#cut?.bytes === undefined ? rest.length : this.#cut.bytes - this.#passedBytes;
  }

  #isDue(direction: Direction): boolean {
    const { frames, bytes } = this.#cut ?? {};
    if (frames !== undefined)
      return direction === this.#cut?.direction && this.conversation.frames[direction] >= frames;
    return bytes !== undefined && this.#passedBytes >= bytes;
  }

  get #passedBytes(): number {
    return this.conversation.bytes.up + this.conversation.bytes.down;
  }
}

interface Outcome {
  readonly taps: readonly CutTap[];
  readonly cuts: number;
}

/** One whole transfer of the tree, over links that are cut as told, each checked, until it is done. */
async function transfer(method: Method, cutOf: (link: number) => Cut | undefined): Promise<Outcome> {
  using folder = new TempFolder();
  const source = new MemoryStorage();
  await fill(source, tree);
  const target = method === "get" ? await LocalStorage.ofUser(folder.path) : await LocalStorage.at(folder.path);
  let written = 0;
  const counted = countWrites(target, (bytes) => {
    written += bytes;
  });
  await using server = new TestServer({ storage: method === "get" ? source : counted, maxClients: 1_000 });
  const taps: CutTap[] = [];
  const settled = () => until(() => written === taps.reduce((sum, tap) => sum + tap.conversation.wholeLargeBytes, 0));
  using proxy = new LinkProxy(server.listen(), (index) => {
    const tap = new CutTap(cutOf(index), settled);
    taps.push(tap);
    return tap;
  });
  const names: string[] = [];
  const connect = async (resume: string) => {
    // Whatever was cut: what has its name is whole.
    const found = await digestsOf(target);
    for (const [path, digest] of Object.entries(found)) expect(digest).toBe(expected[path] as string);
    const client = await clientAt(proxy.port, { resume });
    names.push(client.name);
    return client;
  };
  const connection = await open(proxy.port, connect);
  const told = new Told();
  if (method === "get") await fetchAll(connection, counted, { told });
  else await sendAll(connection, source, { told });
  expect(told.failed).toEqual([]);
  expect(told.paths).toEqual(Object.keys(expected).sort());
  expect(await digestsOf(target)).toEqual(expected);
  expect(readdirSync(folder.path, { recursive: true }).filter((name) => String(name).includes(".commserver-"))).toEqual(
    [],
  );
  expect(new Set(names).size).toBe(1);
  await connection.client.close();
  return { taps, cuts: taps.filter(({ wasCut }) => wasCut).length };
}

/** The first connection has nothing to come back to: a client that loses its link before WELCOME begins anew. */
async function open(port: number, connect: (resume: string) => ReturnType<typeof clientAt>): Promise<Connection> {
  for (;;) {
    try {
      return await connectionAt(port, { connect });
    } catch (error) {
      expect(error).toMatchObject({ code: expect.stringMatching(/^(LOST|CANNOT_CONNECT)$/) });
    }
  }
}

/** `storage`, that tells of the bytes which have reached the parts of large files. */
function countWrites(storage: Storage, onWrite: (bytes: number) => void): Storage {
  const receive: Storage["receive"] = async (...args) => {
    const part = await storage.receive(...args);
    const write: PartFile["write"] = async (offset, bytes, digest) => {
      const isNew = await part.write(offset, bytes, digest);
      onWrite(bytes.length);
      return isNew;
    };
    return facade(part, { write });
  };
  return facade(storage, { receive });
}

describe.each(["get", "put"] as const)("a %s whose link is cut", (method) => {
  test.each(["up", "down"] as const)(
    "at any frame boundary on the way %s goes on, and only the unfinished block and unanswered small files cross again",
    async (direction) => {
      let frames = 0;
      for (let cuts = 1; cuts > 0; ) {
        frames++;
        const cut: Cut = { direction, frames, settles: true, how: frames % 2 === 0 ? "reset" : "end" };
        const { taps, cuts: made } = await transfer(method, (link) => (link === 0 ? cut : undefined));
        cuts = made;
        const first = taps[0]?.conversation as Conversation;
        const rest = taps.slice(1).map(({ conversation }) => conversation);
        const again = (key: "largeBytes" | "smallBytes") => rest.reduce((sum, counts) => sum + counts[key], first[key]);
        // Every whole block was verified and written before the cut, so none of them may cross again. Of a small file, which
        // comes whole or not at all, what has crossed without being stored is lost.
        expect(again("largeBytes")).toBeLessThanOrEqual(largeBytes + first.largeBytes - first.wholeLargeBytes);
        expect(again("smallBytes")).toBeLessThanOrEqual(smallBytes + first.smallBytes);
      }
      console.log(`${method}, ${direction}: cut behind each of ${frames - 1} frames`);
      expect(frames).toBeGreaterThan(5);
    },
  );

  test(`at ${RANDOM_CUTS / 2} random bytes goes on, and what crosses again is bounded by the window`, async () => {
    const total = await lengthOf(method);
    let cuts = 0;
    let transfers = 0;
    let again = 0;
    while (cuts < RANDOM_CUTS / 2) {
      transfers++;
      const most = Math.min(8, RANDOM_CUTS / 2 - cuts);
      const cutOf = (link: number): Cut | undefined =>
        link >= most
          ? undefined
          : { bytes: 1 + random.below(total), settles: false, how: random.next() < 0.5 ? "reset" : "end" };
      const outcome = await transfer(method, cutOf);
      cuts += outcome.cuts;
      const counts = outcome.taps.map(({ conversation }) => conversation);
      const large = counts.reduce((sum, { largeBytes }) => sum + largeBytes, 0);
      const small = counts.reduce((sum, { smallBytes }) => sum + smallBytes, 0);
      // Without a warning the receiver also loses what has reached it and not its disk: less than the window, which is the
      // credit for what was not written yet, and the rest of the block that goes beyond it.
      const cut = outcome.taps.filter(({ wasCut }) => wasCut).map(({ conversation }) => conversation);
      const lostLarge = cut.reduce((sum, { largeBytes }) => sum + Math.min(largeBytes, WINDOW[method] + BLOCK), 0);
      expect(large).toBeLessThanOrEqual(largeBytes + lostLarge);
      expect(small).toBeLessThanOrEqual(smallBytes + cut.reduce((sum, { smallBytes }) => sum + smallBytes, 0));
      again += large + small - bytesOf(tree);
    }
    console.log(
      `${method}: ${cuts} cuts in ${transfers} transfers; ${Math.round(again / cuts)} bytes again for each cut`,
    );
  });
});

/** Bytes of a conversation that nothing disturbs. */
async function lengthOf(method: Method): Promise<number> {
  const { taps } = await transfer(method, () => undefined);
  const { bytes } = (taps[0] as CutTap).conversation;
  return bytes.up + bytes.down;
}
