import { expect, test } from "bun:test";
import { boundOf } from "../../../lib/gateway/request-bound.ts";

const HEAD = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const ROOM = 3;

test.each([
  ["one head", HEAD, HEAD.length],
  ["as many heads as there is room for", HEAD.repeat(ROOM), ROOM * HEAD.length],
  ["more", HEAD.repeat(ROOM + 2), ROOM * HEAD.length],
  ["a head that goes on", HEAD.slice(0, -1), HEAD.length - 1],
  ["a body without blank lines", HEAD + "x".repeat(1_000), HEAD.length + 1_000],
])("of %s, the parser gets what holds no more requests than it may report", (_, text, bytes) => {
  expect(boundOf(Buffer.from(text), ROOM)).toBe(bytes);
});
