/** The tables of PROTOCOL.md, "Transfers", against a server over a folder. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { ERRORS, type ErrorCode } from "../../lib/errors.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { readTable } from "../support/protocol-page.ts";
import { BLOCK, chunk } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { RawTransfers } from "../support/raw-transfers.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { noise } from "../support/transport-recorder.ts";

let folder: TempFolder;
let server: TestServer;
let peer: RawPeer;
let raw: RawTransfers;

beforeAll(async () => {
  folder = new TempFolder();
  server = new TestServer({
    storage: await LocalStorage.at(folder.path),
    limits: { credit: 4 * BLOCK, maxStreams: 64 },
  });
  peer = await RawPeer.admitted(server.listen(), { credit: 8 * BLOCK });
  raw = new RawTransfers(peer);
});

afterAll(async () => {
  await peer[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

describe("the parts of files in PROTOCOL.md", () => {
  const rows = readTable("size", "`offset`", "`length`", "answer, with the bytes of each BLOCK").map(
    (row) =>
      [
        Number(row["size"]),
        row["`offset`"] as string,
        row["`length`"] as string,
        row["answer, with the bytes of each BLOCK"] as string,
      ] as const,
  );

  test.each(rows)("of %d bytes, from %p on, %p at most: %s", async (size, offset, length, answer) => {
    const content = noise(size, 7);
    writeFileSync(folder.join(`file-${size}`), content);
    const part = { ...(offset !== "" && { offset: Number(offset) }), ...(length !== "" && { length: Number(length) }) };
    const chunks = await raw.get({ id: 4, path: `file-${size}`, ...part });
    expect(new Set(chunks.map(({ id }) => id))).toEqual(new Set([4]));
    if (answer in ERRORS) {
      expect(chunks.map(({ name, json }) => [name, json.code])).toEqual([["FAIL", ERRORS[answer as ErrorCode].wire]]);
      return;
    }
    const blocks = chunks.filter(({ name }) => name === "BLOCK");
    expect(chunks.map(({ name }) => name)).toEqual(["FILE", ...blocks.map(() => "BLOCK"), "SEAL"] as never);
    expect(chunks[0]?.json).toMatchObject({ size });
    const lengths = answer === "nothing" ? [] : answer.split(", ").map(Number);
    expect(blocks.map(({ payload }) => payload.length)).toEqual(lengths);
    const from = Number(offset);
    const sum = lengths.reduce((total, each) => total + each, 0);
    expect(Buffer.concat(blocks.map(({ payload }) => payload)).equals(content.subarray(from, from + sum))).toBe(true);
    expect(blocks.map((each) => each.offset)).toEqual(lengths.map((_, at) => from + at * BLOCK));
  });
});

describe("what exists makes of what is there, in PROTOCOL.md", () => {
  const OTHER = "a folder, or what is no file";
  const rows = readTable("`exists`", "nothing there", "an equal file", "another file", "a link", OTHER);
  const MODIFIED_AT = 1_700_000_000_123;
  const SIZES = { small: 5, large: BLOCK + 5 };

  /** Put at `path` what the column says. */
  const PLACE: Record<string, (path: string, content: Uint8Array) => void> = {
    "nothing there": () => {},
    "an equal file": (path, content) => {
      writeFileSync(path, content);
      utimesSync(path, new Date(MODIFIED_AT), new Date(MODIFIED_AT));
    },
    "another file": (path) => writeFileSync(path, "another"),
    "a link": (path) => {
      writeFileSync(`${path}-target`, "target");
      symlinkSync(`${path}-target`, path);
    },
    [OTHER]: (path) => mkdirSync(path),
  };

  const cases = rows.flatMap((row) =>
    Object.keys(PLACE).flatMap((there) =>
      (["small", "large"] as const).map(
        (size) => [row["`exists`"]?.replaceAll('"', "") as string, there, size, row[there] as string] as const,
      ),
    ),
  );

  test.each(cases)("%s, %s, a %s file: %s", async (exists, there, size, answer) => {
    const name = `${exists} ${there} ${size}.x`;
    const place = folder.join(name);
    const content = noise(SIZES[size], 3);
    (PLACE[there] as (path: string, content: Uint8Array) => void)(place, content);
    const before = existsSync(place) ? lstatSync(place).ino : undefined;

    const stream = raw.open("put");
    const facts = { path: name, exists, size: content.length, modifiedAt: MODIFIED_AT, executable: false, etag: "e" };
    raw.send(stream, chunk("FILE", 1, facts));
    if (size === "large") await raw.answer(stream, 1);
    raw.send(stream, chunk("BLOCK", 1, content.subarray(0, BLOCK)));
    if (size === "large") raw.send(stream, chunk("BLOCK", 1, content.subarray(BLOCK), BLOCK));
    raw.send(stream, chunk("SEAL", 1));
    raw.end(stream);
    expect(await raw.outcome(stream)).toBe("ended");
    const told = raw.records(stream).at(-1);

    if (answer in ERRORS) expect(told).toMatchObject({ state: "failed", code: ERRORS[answer as ErrorCode].wire });
    else expect(told).toMatchObject({ state: "done", outcome: answer.split(" ")[0] });
    const isStored = answer.startsWith("stored");
    const isBeside = answer === "stored beside it";
    if (isStored && !isBeside) expect(told.path).toBe(name);
    if (isBeside) expect(told.path).not.toBe(name);
    if (isStored) expect(readFileSync(folder.join(told.path)).equals(content)).toBe(true);
    if (!isStored || isBeside) expect(existsSync(place) ? lstatSync(place).ino : undefined).toBe(before);
    if (there === "a link") expect(readFileSync(`${place}-target`, "utf8")).toBe("target");
  });
});
