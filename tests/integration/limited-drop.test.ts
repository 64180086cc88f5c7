/** Tokens that only drop files: what they can't do, and what they are not told. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import type { Token } from "../../lib/protocol/token.ts";
import { call, comparable, LimitedSite, putting } from "../support/limited-site.ts";
import { readTable } from "../support/protocol-page.ts";
import { BLOCK, chunk } from "../support/raw-chunks.ts";

let site: LimitedSite;
let token: Token;

beforeEach(async () => {
  site = await LimitedSite.start();
  token = site.issue("dropper", { folder: "inbox/bob", drop: true });
});

afterEach(async () => {
  await site[Symbol.asyncDispose]();
});

/** What a session that only drops files may call. */
const ALLOWED = ["put", "status", "message", "collect"];

test("may call no method but those that tell nothing of the folder", async () => {
  const methods = readTable("method", "role", "params", "result", "body", "trailer").flatMap((row) =>
    row["role"] === "operator" ? [] : (row["method"]?.replaceAll("`", "") ?? []),
  );
  const { client } = await site.client(token);
  for (const method of methods) {
    const answer = await call(client, method, { path: "own.txt", from: "own.txt", to: "x", text: "hello" });
    expect([method, answer.includes("NOT_ALLOWED This token only drops files")]).toEqual([
      method,
      !ALLOWED.includes(method),
    ]);
  }
});

test("may send no request by HTTP but those that put", async () => {
  for (const method of ["GET", "HEAD", "PROPFIND", "PROPPATCH", "DELETE", "MKCOL", "MOVE", "COPY", "PATCH"]) {
    for (const target of [
      "/files/",
      "/files/own.txt",
      "/files/sub/",
      "/files/?archive=zip",
      "/files/own.txt?metalink",
    ]) {
      const headers = { destination: "/files/x", depth: "1" };
      const { status } = await site.web.ask(target, { method, token, headers });
      expect([method, target, [400, 403].includes(status)]).toEqual([method, target, true]);
    }
  }
});

const LARGE = { size: 2 * BLOCK, modifiedAt: 1_000, executable: false, etag: "source" };
const block = (index: number) => chunk("BLOCK", 0, new Uint8Array(BLOCK).fill(7), index * BLOCK);

/** Names that are taken in Bob's folder, in every way. */
const TAKEN = [
  "own.txt",
  "sub",
  "sub/deep.txt",
  "own.txt/below",
  "own.txt/below/deeper",
  "out",
  "out/x",
  "etc/x",
  "own-link",
];

/** All that is told where those names are taken, or free. */
async function toldBy(isFree: boolean): Promise<string[]> {
  await using other = await LimitedSite.start();
  if (isFree) {
    for (const name of readdirSync(other.path("inbox/bob"))) rmSync(other.path("inbox/bob", name), { recursive: true });
  }
  const dropper = other.issue("dropper", { folder: "inbox/bob", drop: true });
  const { client } = await other.client(dropper);
  const heard: string[] = [];
  for (const path of TAKEN) {
    for (const exists of ["fail", "overwrite", "skip", "rename"]) {
      heard.push(comparable(await call(client, "put", {}, putting(path, "mine", exists))));
      const large = [chunk("FILE", 0, { ...LARGE, path, exists }), block(0), block(1), chunk("SEAL", 0)];
      heard.push(comparable(await call(client, "put", {}, Buffer.concat(large))));
    }
    heard.push(comparable(await call(client, "put", {}, chunk("FOLDER", 0, { path }))));
    for (const headers of [{}, { "if-none-match": "*" }, { "if-match": '"x"' }]) {
      const { status, body } = await other.web.ask(`/files/${path}`, {
        method: "PUT",
        token: dropper,
        headers,
        body: "x",
      });
      heard.push(`${path} ${status} ${body.toString()}`);
    }
    const fields = { "tus-resumable": "1.0.0", "upload-length": `${2 * BLOCK}`, "content-length": "0" };
    const begun = await other.web.ask(`/files/${path}`, { method: "POST", token: dropper, headers: fields });
    heard.push(`${path} ${begun.status} ${begun.body.toString()}`);
  }
  return heard;
}

test("is told the same whether a name is taken or free", async () => {
  expect(await toldBy(false)).toEqual(await toldBy(true));
}, 120_000);

describe("a file whose name is taken", () => {
  test("is kept under another name, and the one that is there stays", async () => {
    const { client } = await site.client(token);
    const answer = await call(client, "put", {}, putting("own.txt", "mine", "overwrite"));
    expect(answer).toContain('"path":"own.txt","outcome":"stored"');
    expect(readFileSync(site.path("inbox/bob/own.txt"), "utf8")).toBe("his own");
    expect(readFileSync(site.path("inbox/bob/own (2).txt"), "utf8")).toBe("mine");
    expect(site.web.access.events).toContainEqual(
      expect.objectContaining({ event: "stored", path: "inbox/bob/own (2).txt" }),
    );
  });

  test("on the way to another is left alone, too", async () => {
    const { client } = await site.client(token);
    await call(client, "put", {}, putting("own.txt/below", "mine"));
    await call(client, "put", {}, putting("out/x", "mine"));
    expect(readFileSync(site.path("inbox/bob/own.txt"), "utf8")).toBe("his own");
    expect(readFileSync(site.path("inbox/bob/own (2).txt/below"), "utf8")).toBe("mine");
    expect(readFileSync(site.path("inbox/bob/out (2)/x"), "utf8")).toBe("mine");
    expect(existsSync(site.path("inbox/alice/x"))).toBe(false);
  });
});

describe("an interrupted upload", () => {
  const begin = (path: string, etag = "source") =>
    Buffer.concat([chunk("FILE", 0, { ...LARGE, etag, path, exists: "fail" }), block(0)]);
  const rest = (path: string) =>
    Buffer.concat([chunk("FILE", 0, { ...LARGE, path, exists: "fail" }), block(1), chunk("SEAL", 0)]);

  test("goes on in another session of the token, and gets its name when it is complete", async () => {
    const { client } = await site.client(token);
    expect(await call(client, "put", {}, begin("large.bin"))).toContain(`"ranges":[[0,${2 * BLOCK}]]`);
    const { client: next } = await site.client(token);
    const answer = await call(next, "put", {}, rest("large.bin"));
    expect(answer).toContain(`"ranges":[[${BLOCK},${2 * BLOCK}]]`);
    expect(answer).toContain('"path":"large.bin","outcome":"stored"');
    expect(readFileSync(site.path("inbox/bob/large.bin"))).toHaveLength(2 * BLOCK);
    expect(readdirSync(site.path("inbox/bob")).filter((name) => name.includes("large"))).toEqual(["large.bin"]);
  });

  test("of another token, or of another source, is neither told nor touched", async () => {
    const other = site.issue("other", { folder: "inbox/bob", drop: true });
    const { client } = await site.client(token);
    await call(client, "put", {}, begin("large.bin"));
    for (const [by, etag] of [
      [other, "source"],
      [token, "another source"],
    ] as const) {
      const { client: next } = await site.client(by);
      expect(await call(next, "put", {}, begin("large.bin", etag))).toContain(`"ranges":[[0,${2 * BLOCK}]]`);
    }
    const { client: again } = await site.client(token);
    expect(await call(again, "put", {}, rest("large.bin"))).toContain(`"ranges":[[${BLOCK},${2 * BLOCK}]]`);
  });
});

test("its quota is not told either, but kept", async () => {
  const full = site.issue("full", { folder: "inbox/bob", drop: true, quotaBytes: 30 });
  const { client } = await site.client(full);
  const answer = await call(client, "put", {}, putting("large", "x".repeat(100)));
  expect(answer).toContain('The server has no room left for \\"large\\".');
  expect(answer).not.toContain("22");
  expect(existsSync(site.path("inbox/bob/large"))).toBe(false);
});
