import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { CommError } from "../../../lib/errors.ts";
import { formatToken, parseToken } from "../../../lib/protocol/token.ts";
import { createSecret } from "../../../lib/server/access/token-store.ts";

const SECRET = "sEcReT-_".repeat(6).slice(0, 43);

/** What was thrown, which must say that it is malformed. */
function malformedOf(read: () => unknown): CommError {
  try {
    read();
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: "MALFORMED" });
    return thrown as CommError;
  }
  throw new Error("it was taken");
}

describe("a token as text", () => {
  test("is NAME:SECRET, there and back", () => {
    const token = { name: "laptop", secret: SECRET };
    expect(formatToken(token)).toBe(`laptop:${SECRET}`);
    expect(parseToken(formatToken(token))).toEqual(token);
  });

  test("may have space around it, as from a file", () => {
    expect(parseToken(` \tlaptop:${SECRET}\r\n`)).toEqual({ name: "laptop", secret: SECRET });
  });

  test.each([
    ["nothing", ""],
    ["no colon", `laptop${SECRET}`],
    ["no name", `:${SECRET}`],
    ["no secret", "laptop:"],
    ["a secret of 42", `laptop:${SECRET.slice(1)}`],
    ["a secret of 44", `laptop:${SECRET}A`],
    ["a secret in the other base64", `laptop:${SECRET.slice(1)}+`],
    ["three parts", `laptop:${SECRET}:x`],
    ["two lines", `laptop:${SECRET}\nlaptop:${SECRET}`],
    ["space within", `lap top:${SECRET}`],
    ["a name of 65", `${"a".repeat(65)}:${SECRET}`],
  ])("is refused with %s, and not shown", (_, text) => {
    const { message } = malformedOf(() => parseToken(text));
    expect(message).not.toContain(SECRET.slice(1, 20));
  });

  test("any text is read or refused as malformed", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((name) => `${name}:${SECRET}`),
        ),
        (text) => {
          try {
            expect(formatToken(parseToken(text))).toBe(text.trim());
          } catch (thrown) {
            expect(thrown).toMatchObject({ code: "MALFORMED" });
          }
        },
      ),
    );
  });
});

test("each secret is another, of 43 letters that a token takes", () => {
  const secrets = Array.from({ length: 100 }, createSecret);
  expect(new Set(secrets).size).toBe(100);
  for (const secret of secrets) expect(parseToken(`a:${secret}`).secret).toBe(secret);
});
