/** Bodies that pass node:http's parser uncopied: it still decides where they end. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { until } from "../support/until.ts";
import { basic, WebSite } from "../support/web-site.ts";

const MIB = 1024 * 1024;
const FIRST = randomBytes(5 * MIB + 4_321).toString("latin1");
const SECOND = randomBytes(3 * MIB + 17).toString("latin1");

let site: WebSite;

beforeAll(async () => {
  site = await WebSite.start({ writable: true, mayWrite: true });
  writeFileSync(site.folder.join("a.txt"), "alpha");
});

afterAll(() => site[Symbol.asyncDispose]());

const fields = () => `Host: localhost\r\nAuthorization: ${basic(site.writer).authorization}\r\n`;
const put = (name: string, body: string) =>
  `PUT /files/${name} HTTP/1.1\r\n${fields()}Content-Length: ${body.length}\r\n\r\n${body}`;
const get = () => `GET /files/a.txt HTTP/1.1\r\n${fields()}\r\n`;
const stored = (name: string) => readFileSync(site.folder.join(name)).toString("latin1");

describe("a long body", () => {
  test.each([1_000, 70_001, 333_333, 64 * MIB])(
    "that comes %d bytes at once is stored as it is, and a request behind it is answered",
    async (step) => {
      const name = `by-${step}`;
      const raw = site.raw();
      const text = put(name, FIRST) + get();
      for (let at = 0; at < text.length; at += step) {
        raw.send(text.slice(at, at + step));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until(() => raw.text.endsWith("alpha"));
      expect(raw.statuses).toEqual([201, 200]);
      expect(stored(name) === FIRST).toBe(true);
      raw.end();
    },
  );

  test("and the next, which was sent ahead, each become their own file", async () => {
    const raw = site.raw();
    raw.send(put("one", FIRST) + put("two", SECOND) + put("three", "small") + put("four", FIRST) + get());
    await until(() => raw.text.endsWith("alpha"));
    expect(raw.statuses).toEqual([201, 201, 201, 201, 200]);
    const files = ["one", "two", "three", "four"].map(stored);
    expect(files.map((file, index) => file === [FIRST, SECOND, "small", FIRST][index])).toEqual(Array(4).fill(true));
    raw.end();
  });

  test("has no byte more than announced: what follows is a request, or refused", async () => {
    const raw = site.raw();
    raw.send(`${put("told", SECOND)}x${get()}`);
    await until(() => raw.isEnded);
    expect(raw.statuses).toEqual([201, 400]);
    expect(stored("told") === SECOND).toBe(true);
  });

  test("that looks like requests is none", async () => {
    const body = get()
      .repeat(40_000)
      .slice(0, 2 * MIB + 5);
    const raw = site.raw();
    raw.send(put("looks", body) + get());
    await until(() => raw.text.endsWith("alpha"));
    expect(raw.statuses).toEqual([201, 200]);
    expect(stored("looks") === body).toBe(true);
    raw.end();
  });
});
