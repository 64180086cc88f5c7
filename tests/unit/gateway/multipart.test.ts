import { expect, test } from "bun:test";
import fc from "fast-check";
import type { ByteRange } from "../../../lib/gateway/byte-ranges.ts";
import { multipartOf } from "../../../lib/gateway/multipart.ts";

const FILE = new TextEncoder().encode("abcdefghijklmnopqrst");

test("parts of a file are framed as RFC 9110 has it", () => {
  const { type, length, pieces } = multipartOf(
    [
      [0, 2],
      [18, 20],
    ],
    { size: 20, type: "text/plain" },
    "B",
  );
  const text = textOf(pieces);
  expect(type).toBe("multipart/byteranges; boundary=B");
  expect(text).toBe(
    "\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/20\r\n\r\nab" +
      "\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 18-19/20\r\n\r\nst\r\n--B--\r\n",
  );
  expect(length).toBe(text.length);
});

test("the announced length is that of the body", () => {
  const range = fc.tuple(fc.nat(19), fc.nat(19)).map(([a, b]): ByteRange => [Math.min(a, b), Math.max(a, b) + 1]);
  fc.assert(
    fc.property(fc.array(range, { minLength: 2, maxLength: 9 }), (ranges) => {
      const { length, pieces } = multipartOf(ranges, { size: 20, type: "text/plain" });
      expect(textOf(pieces)).toHaveLength(length);
    }),
  );
});

function textOf(pieces: readonly (Uint8Array | ByteRange)[]): string {
  const decoder = new TextDecoder();
  return pieces.map((piece) => decoder.decode(piece instanceof Uint8Array ? piece : FILE.subarray(...piece))).join("");
}
