/** Uploads in pieces by tus 1.0.0: with tus-js-client, and what it never sends. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { Upload, type UploadOptions } from "tus-js-client";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import type { PartFile, Storage } from "../../lib/storage/storage.ts";
import { storageFault } from "../../lib/storage-faults.ts";
import { facade } from "../support/facade.ts";
import { FailingCommits } from "../support/failing-commits.ts";
import { Random } from "../support/random.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";
import { basic, WebSite } from "../support/web-site.ts";

const MIB = 1024 * 1024;
const LARGE = Buffer.from(new Random("web tus").bytes(3 * MIB + 5));

const start = (options: Parameters<typeof WebSite.start>[0] = {}) =>
  WebSite.start({ writable: true, mayWrite: true, ...options });

const stored = (site: WebSite, name: string) => readFileSync(site.folder.join(name));

/** Send `content` with the client, to its end. @returns the address of the upload */
function send(site: WebSite, content: Buffer, options: Partial<UploadOptions> = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const upload = new Upload(content, {
    endpoint: `http://127.0.0.1:${site.port}/files/`,
    headers: { ...basic(site.writer) },
    metadata: { filename: "large" },
    retryDelays: [0, 0],
    onSuccess: () => resolve(upload.url ?? ""),
    onError: reject,
    ...options,
  });
  upload.start();
  return promise;
}

const tus = { "tus-resumable": "1.0.0" };
const piece = { ...tus, "content-type": "application/offset+octet-stream" };

/** Begin an upload of LARGE by hand. @returns its address */
async function begin(site: WebSite, path = "large", size = LARGE.length): Promise<string> {
  const { status, headers } = await site.change("POST", `/files/${path}`, {
    headers: { ...tus, "upload-length": `${size}` },
  });
  expect(status).toBe(201);
  return headers["location"] as string;
}

describe("tus-js-client", () => {
  test("sends files, in one piece or several, of any length", async () => {
    await using site = await start();
    await send(site, LARGE);
    expect(stored(site, "large").equals(LARGE)).toBe(true);
    for (const chunkSize of [MIB, MIB + 77, 2 * MIB]) {
      await send(site, LARGE, { chunkSize, metadata: { filename: `ü ${chunkSize}`, mtime: "1500000000" } });
      expect(stored(site, `ü ${chunkSize}`).equals(LARGE)).toBe(true);
      expect(statSync(site.folder.join(`ü ${chunkSize}`)).mtimeMs).toBe(1_500_000_000_000);
    }
    await send(site, Buffer.from("small"), { metadata: { filename: "small" } });
    expect(stored(site, "small").toString()).toBe("small");
    expect(readdirSync(site.folder.path)).toHaveLength(5);
    expect(site.access.events.filter(({ event }) => event === "stored")).toHaveLength(5);
  });

  test("sends an empty file, for which it asks once", async () => {
    await using site = await start();
    const location = await send(site, Buffer.alloc(0), { metadata: { filename: "empty" } });
    expect(stored(site, "empty")).toHaveLength(0);
    expect(site.access.events.filter(({ event }) => event === "stored")).toHaveLength(1);
    const { pathname, search } = new URL(location);
    const headers = { ...piece, "upload-offset": "0" };
    expect((await site.change("PATCH", pathname + search, { headers })).status).toBe(204);
    expect(site.access.events.filter(({ event }) => event === "stored")).toHaveLength(1);
  });

  test("never sends more than an empty file has: such a piece is refused, and holds nothing up", async () => {
    await using site = await start();
    const location = await begin(site, "empty", 0);
    const headers = { ...piece, "upload-offset": "0" };
    for (const length of [1, 200_000]) {
      const { status } = await site.change("PATCH", location, { headers, body: new Uint8Array(length) });
      expect(status).toBe(400);
    }
    expect(stored(site, "empty")).toHaveLength(0);
    expect(site.access.server.memory.used).toBe(0);
  });

  test("replaces a small file of the same size and time", async () => {
    await using site = await start();
    writeFileSync(site.folder.join("small"), "older");
    utimesSync(site.folder.join("small"), 1_500_000_000, 1_500_000_000);
    await send(site, Buffer.from("newer"), { metadata: { filename: "small", mtime: "1500000000" } });
    expect(stored(site, "small").toString()).toBe("newer");
  });

  test("does not take a file for stored that is whole and could not get its name", async () => {
    using folder = new TempFolder();
    const storage = new FailingCommits(await LocalStorage.at(folder.path));
    await using site = await start({ storage });
    const onShouldRetry = () => {
      storage.isFailing = false;
      return true;
    };
    await send(site, LARGE, { onShouldRetry });
    expect(storage.isFailing).toBe(false);
    expect(readFileSync(folder.join("large")).equals(LARGE)).toBe(true);
  });

  test("goes on with an upload that another has begun", async () => {
    await using site = await start();
    const location = await begin(site);
    const headers = { ...piece, "upload-offset": "0" };
    const first = await site.change("PATCH", location, { headers, body: LARGE.subarray(0, 2 * MIB + 100) });
    expect([first.status, first.headers["upload-offset"]]).toEqual([204, `${2 * MIB}`]);
    await send(site, LARGE, { uploadUrl: `http://127.0.0.1:${site.port}${location}` });
    expect(stored(site, "large").equals(LARGE)).toBe(true);
    const bytes = site.access.events.filter((event) => event.event === "request" && event["method"] === "PATCH");
    expect(bytes).toHaveLength(2);
  });
});

describe("an upload in pieces", () => {
  test("says how much is here, after a cut and after its end", async () => {
    await using site = await start();
    const location = await begin(site);
    const offset = async () => {
      const { status, headers } = await site.change("HEAD", location, { headers: tus });
      return [status, headers["upload-offset"], headers["upload-length"]];
    };
    expect(await offset()).toEqual([200, "0", `${LARGE.length}`]);
    const raw = site.raw();
    raw.send(
      `PATCH ${location} HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic(site.writer).authorization}\r\nTus-Resumable: 1.0.0\r\n` +
        `Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nContent-Length: ${LARGE.length}\r\n\r\n`,
    );
    raw.send(LARGE.subarray(0, 1.5 * MIB).toString("latin1"));
    await until(async () => (await offset())[1] === `${MIB}`);
    raw.end();
    const headers = { ...piece, "upload-offset": `${MIB}` };
    await until(
      async () => (await site.change("PATCH", location, { headers, body: LARGE.subarray(MIB) })).status !== 423,
    );
    expect(stored(site, "large").equals(LARGE)).toBe(true);
    expect(await offset()).toEqual([200, `${LARGE.length}`, `${LARGE.length}`]);
  });

  test("takes no piece that is not the next, and none of another upload", async () => {
    await using site = await start();
    const location = await begin(site);
    const patch = async (more: Record<string, string>, body: Uint8Array = LARGE, at = location) => {
      const answer = await site.change("PATCH", at, { headers: { ...piece, "upload-offset": "0", ...more }, body });
      return [answer.status, answer.headers["upload-offset"]];
    };
    expect(await patch({ "upload-offset": `${MIB}` }, LARGE.subarray(MIB))).toEqual([409, "0"]);
    expect(await patch({ "upload-offset": "-1" })).toEqual([400, undefined]);
    expect(await patch({ "content-type": "text/plain" })).toEqual([415, undefined]);
    expect(await patch({ "tus-resumable": "0.2" })).toEqual([412, undefined]);
    expect(await patch({}, LARGE.subarray(0, 1000))).toEqual([400, undefined]);
    expect(await patch({}, LARGE, "/files/large")).toEqual([400, undefined]);
    expect(await patch({}, LARGE, "/files/large?upload=1-2-3")).toEqual([404, undefined]);
    expect(
      await patch(
        {},
        LARGE,
        location.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")),
      ),
    ).toEqual([404, undefined]);
    expect(await patch({}, LARGE, location.replace("/large?", "/other?"))).toEqual([404, undefined]);
    // A new upload to the same place takes it over.
    await begin(site);
    expect(await patch({})).toEqual([404, undefined]);
    expect(existsSync(site.folder.join("large"))).toBe(false);
  });

  test("takes no piece that is longer than the rest of its file", async () => {
    await using site = await start();
    const headers = { ...piece, "upload-offset": "0" };
    for (const size of [5, LARGE.length - 1]) {
      const body = LARGE.subarray(0, size + 1);
      expect((await site.change("PATCH", await begin(site, "a", size), { headers, body })).status).toBe(400);
      expect(existsSync(site.folder.join("a"))).toBe(false);
    }
  });

  test("can be given up", async () => {
    await using site = await start();
    const location = await begin(site);
    expect(readdirSync(site.folder.path)).not.toEqual([]);
    expect((await site.change("DELETE", location, { headers: tus })).status).toBe(204);
    expect(readdirSync(site.folder.path)).toEqual([]);
    expect((await site.change("HEAD", location, { headers: tus })).status).toBe(404);
  });

  test("is refused at its beginning when it may not come", async () => {
    await using site = await start();
    mkdirSync(site.folder.join("dir"));
    writeFileSync(site.folder.join("a"), "a");
    const post = async (path: string, headers: Record<string, string>) =>
      (await site.change("POST", `/files/${path}`, { headers: { ...tus, "upload-length": "9", ...headers } })).status;
    const named = (name: string) => ({ "upload-metadata": `filename ${Buffer.from(name).toString("base64")}` });
    expect(await post("", {})).toBe(400);
    expect(await post("", named("../a"))).toBe(400);
    expect(await post("", named(".."))).toBe(400);
    expect(await post("", named("dir"))).toBe(409);
    expect(await post("a/b", {})).toBe(409);
    expect(await post("b", { "upload-length": "x" })).toBe(400);
    expect(await post("b", { "upload-length": `${2 ** 44 + 1}` })).toBe(413);
    expect(await post("b", { "tus-resumable": "" })).toBe(412);
    expect((await site.ask("/files/b", { method: "POST", headers: { ...tus, "upload-length": "9" } })).status).toBe(
      403,
    );
    expect(readdirSync(site.folder.path).sort()).toEqual(["a", "dir"]);
  });

  test("is refused at its beginning when the disk does not keep it", async () => {
    using folder = new TempFolder();
    const local = await LocalStorage.at(folder.path);
    const storage = facade<Storage>(local, {
      async receive(path, facts, exists) {
        const part = await local.receive(path, facts, exists);
        return facade<PartFile>(part, {
          async keep() {
            await part.keep();
            throw storageFault.overloaded();
          },
        });
      },
    });
    await using site = await start({ storage });
    const { status, headers } = await site.change("POST", "/files/large", {
      headers: { ...tus, "upload-length": `${LARGE.length}` },
    });
    expect([status, headers["location"]]).toEqual([503, undefined]);
  });

  test("is announced by OPTIONS, where it is supported", async () => {
    await using site = await start();
    const { headers } = await site.ask("/files/", { method: "OPTIONS" });
    expect(headers).toMatchObject({ "tus-version": "1.0.0", "tus-extension": "creation,termination" });
    await using reading = await start({ mayWrite: false });
    expect((await reading.ask("/files/", { method: "OPTIONS" })).headers["tus-version"]).toBeUndefined();
  });
});
