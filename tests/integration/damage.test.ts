import { describe, expect, test } from "bun:test";
import type { Client } from "../../lib/client/client.ts";
import { toCommError } from "../../lib/errors.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { type Meddle, Meddler } from "../support/chunk-meddler.ts";
import { LinkProxy } from "../support/link-proxy.ts";
import { watch } from "../support/outcomes.ts";
import { Random } from "../support/random.ts";
import { BLOCK, HEADER_BYTES, type KindName, type RawChunk } from "../support/raw-chunks.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { clientAt, digestsOf, fetchAll, sendAll, Told } from "../support/transfers.ts";
import { digestsOfTree, fill, type Tree } from "../support/trees.ts";

type Method = "get" | "put";

const random = new Random("damage");
/** Two files of the same size, and one of several blocks: what is taken for another's would fit there. */
const tree: Tree = {
  "big.bin": random.bytes(2 * BLOCK + 5_000),
  "twin1.txt": random.bytes(3_000),
  "twin2.txt": random.bytes(3_000),
};
const twins: Tree = { "twin1.txt": tree["twin1.txt"] as Uint8Array, "twin2.txt": tree["twin2.txt"] as Uint8Array };

interface Outcome {
  readonly told: Told;
  /** Code with which the command as a whole has failed. */
  readonly code: string | undefined;
  /** True when neither side had anything to say any more, and the command had not ended. */
  readonly isStuck: boolean;
  /** Paths that are there, and are not what they should be. */
  readonly wrong: string[];
  /** Paths that were told to be stored, and are not. */
  readonly lost: string[];
}

/** One transfer of `files` through a proxy that meddles. */
async function transfer(method: Method, files: Tree, meddle: Meddle): Promise<Outcome> {
  using folder = new TempFolder();
  const source = new MemoryStorage();
  await fill(source, files);
  const target = method === "get" ? await LocalStorage.ofUser(folder.path) : await LocalStorage.at(folder.path);
  // What is dropped on the way is never granted again: the window must hold all.
  const limits = { credit: 16 * BLOCK, maxStreams: 16 };
  await using server = new TestServer({ storage: method === "get" ? source : target, limits });
  const meddler = new Meddler(meddle);
  using proxy = new LinkProxy(server.listen(), () => meddler);
  const client = await clientAt(proxy.port);
  const told = new Told();
  const work = watch(method === "get" ? fetchAll(client, target, { told }) : sendAll(client, source, { told }));
  const isStuck = await untilSettledOrStill(work, meddler, client);
  const expected = digestsOfTree(files);
  const found = await digestsOf(target);
  const wrong = Object.keys(found).filter((path) => found[path] !== expected[path]);
  const lost = told.paths.filter((path) => found[path] !== expected[path]);
  const code = work.error === undefined ? undefined : toCommError(work.error).code;
  await client.close(0);
  return { told, code, isStuck, wrong, lost };
}

/** @returns true when no byte has moved for a hundred round trips through both programs, and the work is not done */
async function untilSettledOrStill(work: { state: string }, meddler: Meddler, client: Client): Promise<boolean> {
  let still = 0;
  while (work.state === "pending" && still < 100) {
    const before = meddler.bytes;
    await client.ping().catch(() => {});
    await Bun.sleep(1);
    // A ping and its answer are 48 bytes.
    still = meddler.bytes - before <= 48 ? still + 1 : 0;
  }
  return work.state === "pending";
}

function expectWhole({ told, code, isStuck, wrong }: Outcome, files: Tree): void {
  expect({ code, isStuck, wrong, failed: told.failed, paths: told.paths }).toEqual({
    code: undefined,
    isStuck: false,
    wrong: [],
    failed: [],
    paths: Object.keys(digestsOfTree(files)).sort(),
  });
}

const flipped = (bytes: Uint8Array, at: number, bits = 0xff) => {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ bits, at);
  return copy;
};

/** Do `change` to the first chunk that `matches`, and leave all others. */
function once(matches: (chunk: RawChunk) => boolean, change: Meddle): Meddle {
  let isDone = false;
  return (chunk) => {
    if (isDone || !matches(chunk)) return [chunk.bytes];
    isDone = true;
    return change(chunk);
  };
}

/** Hold the first chunk that matches until the second comes, then send what `change` makes of both; all else passes. */
function together(
  matches: (chunk: RawChunk) => boolean,
  change: (first: RawChunk, second: RawChunk) => Uint8Array[],
): Meddle {
  let first: RawChunk | undefined;
  let isDone = false;
  return (chunk) => {
    if (isDone || !matches(chunk)) return [chunk.bytes];
    if (first !== undefined) {
      isDone = true;
      return change(first, chunk);
    }
    first = { ...chunk, bytes: Buffer.from(chunk.bytes) };
    return [];
  };
}

const isBlock = ({ name }: RawChunk) => name === "BLOCK";
const isLarge = ({ name, payload }: RawChunk) => name === "BLOCK" && payload.length === BLOCK;
const isSmall = ({ name, payload }: RawChunk) => name === "BLOCK" && payload.length === 3_000;

describe.each(["get", "put"] as const)("a %s with damage on the way", (method) => {
  const mended: [string, () => Meddle][] = [
    ["a byte of a block", () => once(isLarge, ({ bytes }) => [flipped(bytes, HEADER_BYTES + 77_777, 0x10)])],
    ["a byte of a small file", () => once(isSmall, ({ bytes }) => [flipped(bytes, HEADER_BYTES + 5)])],
    ["a digest", () => once(isLarge, ({ bytes }) => [flipped(bytes, 20)])],
    [
      "a byte of each second block",
      () => {
        let turn = 0;
        return (chunk) =>
          isBlock(chunk) && turn++ < 9 && turn % 2 === 0 ? [flipped(chunk.bytes, 100)] : [chunk.bytes];
      },
    ],
    ["a block that is lost", () => once(isLarge, () => [])],
    ["a small file's block that is lost", () => once(isSmall, () => [])],
    ["a block that comes twice", () => once(isLarge, ({ bytes }) => [bytes, bytes])],
    ["a small file's block that comes twice", () => once(isSmall, ({ bytes }) => [bytes, bytes])],
    ["blocks in another order", () => together(isLarge, (a, b) => [b.bytes, a.bytes])],
    [
      "digests of two blocks that were swapped",
      () => together(isLarge, (a, b) => [withDigestOf(a, b), withDigestOf(b, a)]),
    ],
  ];
  test.each(mended)("mends %s", async (_, meddle) => {
    expectWhole(await transfer(method, tree, meddle()), tree);
  });

  test("gives a large file up that is damaged each time, and stores the others", async () => {
    const outcome = await transfer(method, tree, (chunk) => [isLarge(chunk) ? flipped(chunk.bytes, 30) : chunk.bytes]);
    expect(outcome).toMatchObject({ wrong: [], isStuck: false, code: undefined });
    expect(outcome.told.failed).toMatchObject([{ path: "big.bin", code: "DIGEST_MISMATCH" }]);
    expect(outcome.told.paths).toEqual(["twin1.txt", "twin2.txt"]);
  });

  test("gives a small file up that is damaged each time, and stores the others", async () => {
    const theirs = Buffer.from(tree["twin1.txt"] as Uint8Array);
    const outcome = await transfer(method, tree, (chunk) => [
      chunk.payload.equals(theirs) ? flipped(chunk.bytes, 30) : chunk.bytes,
    ]);
    expect(outcome).toMatchObject({ wrong: [], isStuck: false, code: undefined });
    expect(outcome.told.failed).toMatchObject([{ path: "twin1.txt", code: "DIGEST_MISMATCH" }]);
    expect(outcome.told.paths).toEqual(["big.bin", "twin2.txt"]);
  });

  test.each(["FILE", "SEAL"] as const)("goes on in another stream after the wrong digest of a %s", async (kind) => {
    const outcome = await transfer(
      method,
      twins,
      once(
        ({ name }) => name === kind,
        ({ bytes }) => [flipped(bytes, 16)],
      ),
    );
    expect(outcome).toMatchObject({ code: undefined, wrong: [], lost: [], isStuck: false });
    expect(outcome.told.paths).toEqual(Object.keys(twins).sort());
  });

  test.each([
    ["FILE", ["FILE"]],
    ["SEAL", ["SEAL"]],
    ["SEAL and the next FILE", ["SEAL", "FILE"]],
  ] as [string, KindName[]][])("never takes what is left for the whole when %s is lost", async (_, kinds) => {
    const left = [...kinds];
    const outcome = await transfer(method, twins, (chunk) => {
      if (left[0] !== chunk.name) return [chunk.bytes];
      left.shift();
      return [];
    });
    expect(outcome).toMatchObject({ wrong: [], lost: [] });
  });

  test("never takes the bytes of one file for those of another of that size", async () => {
    const outcome = await transfer(
      method,
      twins,
      together(isSmall, (a, b) => [withIdOf(a, b), withIdOf(b, a)]),
    );
    expect(outcome).toMatchObject({ wrong: [], lost: [] });
  });
});

describe.each(["get", "put"] as const)("any byte of the header of a chunk of a %s", (method) => {
  const kinds = ["FILE", "BLOCK", "SEAL"] as const;
  const bits = [0x01, 0x04, 0x80, 0xff];

  async function each(check: (outcome: Outcome) => boolean): Promise<string[]> {
    const bad: string[] = [];
    for (const kind of kinds) {
      for (let at = 0; at < HEADER_BYTES; at++) {
        for (const mask of bits) {
          const outcome = await flip(kind, at, mask);
          const { isStuck, code, wrong, told } = outcome;
          const words = [code, isStuck && "stuck", ...wrong, ...told.codes].filter((word) => word);
          if (!check(outcome)) bad.push(`${kind} byte ${at} ^ ${mask}: ${words.join(", ")}`);
        }
      }
    }
    return bad;
  }

  const known = new Map<string, Promise<Outcome>>();
  function flip(kind: KindName, at: number, mask: number): Promise<Outcome> {
    const key = `${kind} ${at} ${mask}`;
    const outcome =
      known.get(key) ??
      transfer(
        method,
        twins,
        once(
          ({ name }) => name === kind,
          ({ bytes }) => [flipped(bytes, at, mask)],
        ),
      );
    known.set(key, outcome);
    return outcome;
  }

  test("can be flipped without a wrong file", async () => {
    expect(await each(({ wrong }) => wrong.length === 0)).toEqual([]);
  });

  test("can be flipped without a file being reported as stored that is not", async () => {
    expect(await each(({ lost }) => lost.length === 0)).toEqual([]);
  });

  test("is found when it is flipped: the files are whole, or the command fails", async () => {
    const isFound = ({ isStuck, code, told, wrong }: Outcome) =>
      !isStuck && (code !== undefined || told.done.length + told.failed.length === 2) && wrong.length === 0;
    expect(await each(isFound)).toEqual([]);
  });
});

/** `a`, as if it were of `b`'s file. */
function withIdOf(a: RawChunk, b: RawChunk): Buffer {
  const copy = Buffer.from(a.bytes);
  copy.writeUInt32BE(b.id, 4);
  return copy;
}

function withDigestOf(a: RawChunk, b: RawChunk): Buffer {
  const copy = Buffer.from(a.bytes);
  b.bytes.copy(copy, 16, 16, 24);
  return copy;
}
