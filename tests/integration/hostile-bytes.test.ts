import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { codeOf } from "../support/fault.ts";
import { frame } from "../support/frames.ts";
import { chunk } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";

let folder: TempFolder;
let server: TestServer;

beforeEach(async () => {
  folder = new TempFolder();
  writeTree(folder.path, { "repository/docs/a.txt": "a", "outside/secret": "secret" });
  server = new TestServer({ storage: await LocalStorage.at(folder.join("repository")) });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

describe("bytes that are not UTF-8", () => {
  const OVERLONG = Buffer.from([0xc0, 0xae, 0xc0, 0xae, 0xc0, 0xaf]); // "../" in two bytes each
  const quoted = (front: string, bytes: Buffer, behind: string) =>
    Buffer.concat([Buffer.from(front), bytes, Buffer.from(behind)]);

  test.each([
    ["overlong dots", OVERLONG],
    ["half a character", Buffer.from([0xed, 0xa0, 0x80])],
    ["cut off", Buffer.from([0xe2, 0x82])],
  ])("in a request end the session, and are no path: %s", async (_, bytes) => {
    await using peer = await RawPeer.admitted(server.listen());
    const payload = quoted('{"method":"stat","params":{"path":"docs/', bytes, '"}}');
    peer.send(frame("OPEN", payload, 1, 1));
    expect((await peer.next("GOAWAY")).json).toMatchObject({ code: 7 });
  });

  test("in a record of get fail that stream alone", async () => {
    await using peer = await RawPeer.admitted(server.listen());
    peer.send(frame("OPEN", { method: "get", params: {} }, 1));
    peer.send(frame("DATA", quoted('{"id":0,"path":"', OVERLONG, 'secret"}\n'), 1));
    expect(await peer.next("RESET")).toMatchObject({ stream: 1, json: { code: 7 } });
    peer.send(frame("OPEN", { method: "stat", params: { path: "docs/a.txt" } }, 3, 1));
    expect(await peer.next("ACCEPT")).toMatchObject({ stream: 3 });
  });

  test("in a chunk of put fail that stream alone, and leave nothing", async () => {
    await using peer = await RawPeer.admitted(server.listen());
    const facts = '","exists":"overwrite","size":1,"modifiedAt":0,"executable":false,"etag":"e"}';
    const file = chunk("FILE", 0, quoted('{"path":"', OVERLONG, `outside/secret${facts}`));
    peer.send(frame("OPEN", { method: "put", params: {} }, 1));
    peer.send(frame("DATA", Buffer.concat([file, chunk("BLOCK", 0, Buffer.from("x")), chunk("SEAL", 0)]), 1));
    expect(await peer.next("RESET")).toMatchObject({ stream: 1, json: { code: 7 } });
    expect(readFileSync(folder.join("outside/secret"), "utf8")).toBe("secret");
  });

  test("written as escapes are the characters that they mean: dots are dots", async () => {
    await using peer = await RawPeer.admitted(server.listen());
    const payload = Buffer.from('{"method":"stat","params":{"path":"\\u002e\\u002e\\u002foutside"}}');
    peer.send(frame("OPEN", payload, 1, 1));
    expect((await peer.next("RESET")).json).toMatchObject({ code: 35 });
  });
});

describe.if(process.platform === "linux")("names on the disk that are not UTF-8", () => {
  const RAW = [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xae, 0xc0, 0xae]];
  const place = (name: number[]) => Buffer.concat([Buffer.from(folder.join("repository/odd/")), Buffer.from(name)]);

  beforeEach(() => {
    mkdirSync(folder.join("repository/odd"));
    for (const name of RAW) writeFileSync(place(name), "x");
    mkdirSync(place([0xfe]));
    writeFileSync(place([0xfe, 0x2f, 0xfe]), "x");
  });

  test("are no names that anybody could ask for by what is written in their place", async () => {
    const client = await server.client();
    for (const name of RAW) {
      const shown = new TextDecoder().decode(Buffer.from(name));
      for (const path of [`odd/${shown}`, `odd/${Buffer.from(name).toString("latin1")}`]) {
        expect(await codeOf(() => client.digest(path))).toMatch(/^(NOT_FOUND|BAD_PATH)$/);
        expect(await codeOf(() => client.remove(path, true))).toMatch(/^(NOT_FOUND|BAD_PATH)$/);
      }
    }
    expect(readdirSync(folder.join("repository/odd"), { encoding: "buffer" })).toHaveLength(RAW.length + 1);
  });

  test("move and go with their folder, and keep it from going without them", async () => {
    const client = await server.client();
    expect(await codeOf(() => client.remove("odd", false))).toBe("NOT_EMPTY");
    await client.rename("odd", "odder", false);
    expect(readdirSync(folder.join("repository/odder"), { encoding: "buffer" })).toHaveLength(RAW.length + 1);
    await client.remove("odder", true);
    expect(readdirSync(folder.join("repository"))).toEqual(["docs"]);
  });
});
