import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { BLOCK_BYTES, seedOf } from "../../lib/block.ts";
import { ChunkKind, decodeChunkHeader, encodeChunkHeader } from "../../lib/protocol/chunk.ts";
import { CHUNK_HEADER_BYTES } from "../../lib/protocol/constants.ts";
import { decodeJson } from "../../lib/protocol/json.ts";
import { DigestResult, ExistsPolicy, FileFacts, GetRequest, Outcome, PutAnswer } from "../../lib/protocol/methods.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import { MAX_LARGE_FILES, MAX_SMALL_FILES } from "../../lib/transfer/put-files.ts";
import { chunk, KINDS, parseChunks } from "../support/chunks.ts";
import { protocolFault } from "../support/outcomes.ts";
import { PAGE, readChunks, readTable, readVectors } from "../support/protocol-page.ts";

const vectors = readChunks();
const kindOf = (name: string) => ChunkKind[name as keyof typeof ChunkKind];
const text = PAGE.replaceAll("\n", " ");

describe("the chunks of PROTOCOL.md", () => {
  test("none is overlooked, and each kind with bytes and without has one", () => {
    expect(vectors).toHaveLength(PAGE.split("```chunk").length - 1);
    expect(new Set(vectors.map(({ name }) => name))).toEqual(new Set(["BLOCK", "SEAL", "FILE", "PATCH"]));
  });

  test.each(vectors.map((vector) => [`${vector.name} on line ${vector.line}`, vector] as const))(
    "%s: lib and the naive codec of the tests make and read these bytes",
    (_, { name, id, offset, length, payload, bytes }) => {
      if (payload.kind === "json") throw new Error("A chunk of PROTOCOL.md has its payload in hexadecimal.");
      const digest = digest64(payload.bytes, seedOf(offset));
      const made = Buffer.alloc(CHUNK_HEADER_BYTES + length);
      encodeChunkHeader(made, 0, { kind: kindOf(name), length, id, offset, digest }, digest64);
      made.set(payload.bytes, CHUNK_HEADER_BYTES);
      expect(made.toString("hex")).toBe(bytes.toString("hex"));
      expect(decodeChunkHeader(bytes, 0, digest64)).toEqual({ kind: kindOf(name), length, id, offset, digest });
      expect(chunk(name as keyof typeof KINDS, id, payload.bytes, { offset }).equals(bytes)).toBe(true);
      expect(parseChunks(bytes)).toMatchObject([{ kind: name, id, offset, intact: true }]);
    },
  );

  test("those of the conversation are a whole file, and its request", () => {
    const bodies = readVectors().filter(({ name, stream }) => name === "DATA" && stream === 3);
    const [request, file] = bodies.map(({ bytes }) => bytes.subarray(16));
    expect(decodeJson(GetRequest, request as Buffer, "A request")).toMatchObject({ id: 0, path: "a.txt" });
    const chunks = parseChunks(file as Buffer);
    expect(chunks.map(({ kind, intact }) => `${kind} ${intact}`)).toEqual(["FILE true", "BLOCK true", "SEAL true"]);
    const facts = v.parse(FileFacts, chunks[0]?.json);
    expect(facts.size).toBe(chunks[1]?.payload.length as number);
  });
});

test("the example of a digest is that of its file, and its request asks for nothing else", () => {
  const request = readVectors()
    .find(({ name, stream }) => name === "DATA" && stream === 5)
    ?.bytes.subarray(16);
  const asked = decodeJson(GetRequest, request ?? Buffer.alloc(0), "A request");
  expect(asked).toMatchObject({ id: 0, length: 0, digest: true });
  const file = vectors.find(({ name, id }) => name === "FILE" && id === asked.id);
  if (file?.payload.kind !== "hex") throw new Error("The example has no FILE.");
  const sha256 = new Bun.CryptoHasher("sha256").update("abc").digest("hex");
  expect(decodeJson(DigestResult, file.payload.bytes, "A file")).toMatchObject({ size: 3, sha256 });
});

describe("the chunk tables of PROTOCOL.md", () => {
  test("have the header's fields in order, without a gap, in CHUNK_HEADER_BYTES", () => {
    let offset = 0;
    for (const row of readTable("offset", "bytes", "chunk field", "meaning")) {
      expect(Number(row["offset"])).toBe(offset);
      offset += Number(row["bytes"]);
    }
    expect(offset).toBe(CHUNK_HEADER_BYTES);
    expect(text).toContain(`A chunk is a header of ${CHUNK_HEADER_BYTES} bytes and a payload.`);
  });

  const rows = readTable("chunk", "kind", "payload bytes", "payload");
  const limitsOf = (row: Record<string, string>) =>
    /^(\d+) to (\d+)$/
      .exec(row["payload bytes"] as string)
      ?.slice(1)
      .map(Number) as [number, number];

  test("have the kinds of lib and of the naive codec, no more and no fewer", () => {
    const kinds = Object.fromEntries(rows.map((row) => [row["chunk"], Number(row["kind"])]));
    expect<unknown>(kinds).toEqual({ ...ChunkKind });
    expect<unknown>(kinds).toEqual({ ...KINDS });
  });

  test("have the payload limits of lib", () => {
    for (const row of rows) {
      const [least, most] = limitsOf(row);
      const decode = (length: number) => {
        const header = chunk(Number(row["kind"]), 1, Buffer.alloc(0), { length });
        return protocolFault(() => decodeChunkHeader(header, 0, digest64)) as string | undefined;
      };
      expect([decode(least), decode(most), decode(most + 1)]).toEqual([undefined, undefined, "BAD_PAYLOAD"]);
      if (least > 0) expect(decode(least - 1)).toBe("BAD_PAYLOAD");
    }
  });

  test("and the text have the block size, and the seed of the digest", () => {
    expect(text).toContain(`A _block_ is ${BLOCK_BYTES} bytes of a file`);
    expect(text).toContain(`its number in the file, which is its offset / ${BLOCK_BYTES}; otherwise 0`);
    expect(limitsOf(rows.find((row) => row["chunk"] === "BLOCK") ?? {})[1]).toBe(BLOCK_BYTES);
    expect(seedOf(0)).toBe(0);
    expect(seedOf(BLOCK_BYTES)).toBe(1);
    expect(seedOf(2 ** 52)).toBe(0);
    expect(seedOf(2 ** 52 + BLOCK_BYTES)).toBe(1);
  });
});

const OTHER = "a folder, or what is no file";

test("the facts of PROTOCOL.md are those of lib, and none but the mode may be absent", () => {
  const facts = { size: 1, modifiedAt: 2, executable: false, mode: 0o644, etag: "" };
  expect(readTable("fact", "meaning").map((row) => row["fact"]?.replaceAll("`", ""))).toEqual(Object.keys(facts));
  expect(v.parse(FileFacts, facts)).toMatchObject(facts);
  const absent = Object.keys(facts).filter((name) => v.is(FileFacts, { ...facts, [name]: undefined }));
  expect(absent).toEqual(["mode"]);
});

describe("what PROTOCOL.md says of put", () => {
  const rows = readTable("state", "members", "meaning");
  const samples: Record<string, object> = {
    pieces: { offset: 0, key: Buffer.alloc(16).toString("base64"), pieces: "" },
    ready: { ranges: [[0, 1]] },
    done: { path: "a", outcome: "stored" },
    failed: { code: 45, message: "It exists." },
  };

  test("has the states of lib with their members, no more and no fewer", () => {
    expect(rows.map((row) => row["state"]).sort()).toEqual(Object.keys(samples).sort());
    for (const row of rows) {
      const state = row["state"] as string;
      const members = [...(row["members"] as string).matchAll(/`(\w+)`/g)].map(([, name]) => name as string);
      expect(members.sort()).toEqual(Object.keys(samples[state] ?? {}).sort());
      const answer = { id: 1, state, ...samples[state] };
      expect<unknown>(v.parse(PutAnswer, answer)).toEqual(answer);
      for (const left of members) expect(v.is(PutAnswer, { ...answer, [left]: undefined })).toBe(false);
    }
  });

  test("has the outcomes and the policies of lib", () => {
    const { meaning = "" } = rows.find((row) => row["state"] === "done") ?? {};
    expect([...meaning.matchAll(/"(\w+)"/g)].map(([, name]) => name as string).sort()).toEqual(
      [...Outcome.options].sort(),
    );
    const table = readTable("`exists`", "nothing there", "an equal file", "another file", "a link", OTHER);
    expect(table.map((row) => row["`exists`"]).sort()).toEqual(
      [...ExistsPolicy.options].map((policy) => `"${policy}"`).sort(),
    );
  });

  test("has the number of files that may be under way", () => {
    expect(text).toContain(
      `At most ${MAX_LARGE_FILES} files of more than one block, and ${MAX_SMALL_FILES} others, may be between`,
    );
  });
});
