import { describe, expect, test } from "bun:test";
import { type ConditionFields, judge, mayBeRanged, type Verdict } from "../../../lib/gateway/conditions.ts";
import { entityTag, parseTags } from "../../../lib/gateway/entity-tag.ts";
import { formatHttpDate, parseHttpDate } from "../../../lib/gateway/http-date.ts";

const MODIFIED = Date.UTC(2026, 10, 29, 12, 0, 0, 700);
const NOW = MODIFIED + 3_600_000;
const SAME = "Sun, 29 Nov 2026 12:00:00 GMT";
const BEFORE = "Sun, 29 Nov 2026 11:59:59 GMT";
const AFTER = "Sun, 29 Nov 2026 12:00:01 GMT";
const STATE = { tag: '"a"', modifiedAt: MODIFIED };

describe("conditions of a GET, in the order of RFC 9110, 13.2.2", () => {
  const rows: [fields: ConditionFields, verdict: Verdict][] = [
    [{}, "go on"],
    [{ "if-match": '"a"' }, "go on"],
    [{ "if-match": '"b", "a"' }, "go on"],
    [{ "if-match": "*" }, "go on"],
    [{ "if-match": '"b"' }, "failed"],
    [{ "if-match": 'W/"a"' }, "failed"],
    [{ "if-match": "a" }, "failed"],
    [{ "if-match": '"a"', "if-unmodified-since": BEFORE }, "go on"],
    [{ "if-unmodified-since": SAME }, "go on"],
    [{ "if-unmodified-since": BEFORE }, "failed"],
    [{ "if-unmodified-since": "yesterday" }, "go on"],
    [{ "if-none-match": '"a"' }, "not modified"],
    [{ "if-none-match": 'W/"a"' }, "not modified"],
    [{ "if-none-match": "*" }, "not modified"],
    [{ "if-none-match": '"b"' }, "go on"],
    [{ "if-none-match": '"b"', "if-modified-since": AFTER }, "go on"],
    [{ "if-modified-since": SAME }, "not modified"],
    [{ "if-modified-since": AFTER }, "not modified"],
    [{ "if-modified-since": BEFORE }, "go on"],
    [{ "if-modified-since": "Sun, 99 Nov 2026 12:00:00 GMT" }, "go on"],
    [{ "if-match": '"b"', "if-none-match": '"a"' }, "failed"],
  ];
  test.each(rows)("%j: %s", (fields, verdict) => {
    expect(judge(fields, STATE, { isRead: true, now: NOW })).toBe(verdict);
  });

  test("of a change fail where a read is not modified", () => {
    const judged = (fields: ConditionFields, state: typeof STATE | undefined) =>
      judge(fields, state, { isRead: false, now: NOW });
    expect(judged({ "if-none-match": "*" }, STATE)).toBe("failed");
    expect(judged({ "if-modified-since": SAME }, STATE)).toBe("go on");
    expect(judged({ "if-none-match": "*" }, undefined)).toBe("go on");
    expect(judged({ "if-match": "*" }, undefined)).toBe("failed");
  });
});

describe("If-Range", () => {
  const rows: [value: string | undefined, counts: boolean][] = [
    [undefined, true],
    ['"a"', true],
    ['"b"', false],
    ['W/"a"', false],
    [SAME, true],
    [BEFORE, false],
    [AFTER, false],
    ["nonsense", false],
  ];
  test.each(rows)("%p", (value, counts) => {
    expect(mayBeRanged({ "if-range": value }, STATE, NOW)).toBe(counts);
  });

  test("does not trust the date of a file that has just changed", () => {
    expect(mayBeRanged({ "if-range": SAME }, STATE, MODIFIED + 500)).toBe(false);
  });
});

describe("entity tags", () => {
  test("of any state are strong and quoted", () => {
    expect(entityTag("5-a1")).toBe('"5-a1"');
    expect(entityTag('a "b" \u00e4\n')).toMatch(/^"[\x21\x23-\x7e]*"$/);
  });

  test("in a list are read one by one", () => {
    expect(parseTags('"a", W/"b,c" ,,"d"')).toEqual(['"a"', 'W/"b,c"', '"d"']);
    expect(parseTags(" * ")).toBe("any");
    for (const none of ["", "a", '"a', '"a" "b"', "*, *"]) expect(parseTags(none)).toBeUndefined();
  });
});

describe("dates of HTTP", () => {
  test("are written in the one form, and read in three", () => {
    expect(formatHttpDate(MODIFIED)).toBe(SAME);
    const whole = Math.floor(MODIFIED / 1000) * 1000;
    for (const text of [SAME, "Sunday, 29-Nov-26 12:00:00 GMT", "Sun Nov 29 12:00:00 2026"]) {
      expect(parseHttpDate(text, NOW)).toBe(whole);
    }
    expect(parseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT", NOW)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37));
  });

  test("that are invalid count as absent", () => {
    for (const text of [
      "",
      "1796000000",
      "Sun, 31 Feb 2026 12:00:00 GMT",
      "Sun, 29 Nov 2026 25:00:00 GMT",
      `${SAME} x`,
    ]) {
      expect(parseHttpDate(text, NOW)).toBeUndefined();
    }
  });
});
