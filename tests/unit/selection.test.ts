import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { GLOB_LIMITS, isGlob, parseGlob, topOf } from "../../lib/glob.ts";
import { checkAsked, narrowTo, selectAt, selectBelow, selectGlob } from "../../lib/selection.ts";
import { codeOf, faultOf } from "../support/fault.ts";

/** Pattern, the folder to begin in, what it selects, what it does not select. */
const TABLE: [pattern: string, top: string, yes: string[], no: string[]][] = [
  ["*", "", ["a", ".hidden", "a.txt", "-x", "é"], ["a/b"]],
  ["a**", "", ["a", "ab"], ["a/b", "b"]],
  ["*.txt", "", ["a.txt", ".txt", "two words.txt"], ["a.txt.gz", "d/a.txt", "a.TXT", "atxt"]],
  ["docs/*.md", "docs", ["docs/a.md", "docs/.md"], ["a.md", "docs/sub/a.md", "docs2/a.md"]],
  ["a/b/c*", "a/b", ["a/b/c", "a/b/cd"], ["a/b/c/d", "a/b", "a/c"]],
  ["*/x/*.c", "", ["a/x/b.c"], ["x/b.c", "a/b/x/b.c", "a/y/b.c"]],
  ["**", "", ["a", "a/b", "a/b/c", ".h/x"], []],
  ["**/*.txt", "", ["a.txt", "d/a.txt", "d/e/f/a.txt"], ["a.md", "a.txt/b"]],
  ["docs/**", "docs", ["docs/a", "docs/a/b"], ["docs", "docs2/a", "a"]],
  ["docs/**/a.md", "docs", ["docs/a.md", "docs/x/y/a.md"], ["a.md", "docs/a.mdx"]],
  ["a?c", "", ["abc", "aéc", "a🦊c"], ["ac", "abbc", "a/c"]],
  ["[a-c]x", "", ["ax", "cx"], ["dx", "x", "Ax"]],
  ["[!a-c]x", "", ["dx", "Ax"], ["ax", "bx"]],
  ["{a,b}.txt", "", ["a.txt", "b.txt"], ["c.txt", "ab.txt", "{a,b}.txt"]],
  ["{docs,src}/*.md", "", ["docs/a.md", "src/a.md"], ["x/a.md", "docs/x/a.md"]],
  ["{a,b/c}/*", "", ["a/x", "b/c/x"], ["b/x", "a/c/x"]],
  ["{a,**/b}", "", ["a", "b", "x/y/z/b"], ["x/a", "c"]],
  ["two words/*", "two words", ["two words/a"], ["two/a"]],
  ["-rf*", "", ["-rf", "-rfx"], ["rf"]],
  ["caf?", "", ["café"], ["caf", "cafes"]],
];

/** The folders on the way to `path`, outermost first. */
function foldersOf(path: string): string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

describe("selectGlob()", () => {
  test.each(TABLE)("%p begins in %p and selects whole paths", (pattern, top, yes, no) => {
    const selection = selectGlob(pattern);
    expect(selection.top).toBe(top);
    expect(yes.filter((path) => !selection.matches(path))).toEqual([]);
    expect(no.filter((path) => selection.matches(path))).toEqual([]);
  });

  test.each(TABLE)("%p enters every folder on the way to what it selects", (pattern, top, yes) => {
    const { reaches: enter } = selectGlob(pattern);
    for (const path of yes) {
      for (const folder of foldersOf(path).filter((outer) => outer.length > top.length)) {
        expect({ folder, entered: enter(folder) }).toEqual({ folder, entered: true });
      }
    }
  });

  test.each([
    ["*", "a"],
    ["*.txt", "a"],
    ["docs/*.md", "docs/sub"],
    ["*/x/*.c", "a/x/deeper"],
    ["a/b/c*", "a/b/c"],
    ["docs/*/x/*.c", "docs/a/y"],
    ["[a-c]/x/**", "d"],
    ["[a-c]/x/**", "a/y"],
    ["{a,b/c}/d/*", "b/d"],
    ["{a,b/c}/d/*", "b/c/d/e"],
  ])("%p does not enter %p, below which nothing can match", (pattern, folder) => {
    expect(selectGlob(pattern).reaches(folder)).toBe(false);
  });

  test("finds, walking only the folders it enters, all that it matches", () => {
    const name = fc.constantFrom("a", "b", "ab", ".h", "a.txt");
    const paths = fc.array(fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/")));
    const component = fc.constantFrom("*", "**", "a", "b*", "?", "{a,b}", "{a,b/ab}", "[ab]", "*.txt", "[!a]*");
    const pattern = fc.array(component, { minLength: 1, maxLength: 4 }).map((components) => components.join("/"));
    fc.assert(
      fc.property(paths, pattern.filter(isGlob), (all, glob) => {
        const { top, matches, reaches: enter } = selectGlob(glob);
        for (const path of all.filter(matches)) {
          const below = top === "" ? path : path.slice(top.length);
          const inTop = top === "" || path.startsWith(`${top}/`);
          const walked = foldersOf(path).filter((folder) => folder.length > path.length - below.length);
          expect(inTop && walked.every(enter)).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

test("an exclamation mark does not turn a pattern round: PROTOCOL.md gives it no meaning", () => {
  const { matches } = selectGlob("!a*");
  expect([matches("!ab"), matches("b")]).toEqual([true, false]);
});

describe("parseGlob()", () => {
  test("gives the patterns without braces, in order, with what each component is made of", () => {
    const text = (letter: string) => ({ kind: "text", text: letter });
    expect(parseGlob("a{?,/**}")).toEqual([[[text("a"), { kind: "one" }]], [[text("a")], "**"]] as never);
    expect(parseGlob("***")).toEqual([[[{ kind: "some" }]]] as never);
    expect(parseGlob("[!a-c🦊]")).toEqual([
      [
        [
          {
            kind: "set",
            isNegated: true,
            ranges: [
              [0x61, 0x63],
              [0x1f98a, 0x1f98a],
            ],
          },
        ],
      ],
    ] as never);
  });

  test.each([
    ["*", ""],
    ["a/*", "a"],
    ["a/b/c*/d", "a/b"],
    ["a/{b/c,d}/e", "a"],
    ["{a,b}", ""],
  ])("%p begins in %p", (pattern, top) => {
    expect(topOf(pattern)).toBe(top);
  });

  test("multiplies out as far as its limit, and not a bit further", async () => {
    const { alternatives } = GLOB_LIMITS;
    const most = "{a,b}".repeat(Math.log2(alternatives));
    expect(parseGlob(most)).toHaveLength(alternatives);
    for (const more of [`${most}{a,b}`, `{${most},c}`, "{a,b}".repeat(16), `{${"a,".repeat(alternatives)}b}`]) {
      expect(await codeOf(() => parseGlob(more))).toBe("BAD_PARAMS");
    }
  });
});

describe("hostile patterns", () => {
  const LONG_NAME = "a".repeat(255);
  const DEEP = `${"a/".repeat(127)}a`;
  const PATTERNS = [
    `${"*a".repeat(500)}b`,
    `${"*".repeat(1_000)}b`,
    `${"**/".repeat(300)}b`,
    `${"**/a/".repeat(200)}b`,
    `${"**/*a*/".repeat(140)}b`,
    `${"**/?**/a**/".repeat(90)}b`,
    `${"{a,aa}".repeat(160)}b`,
    `${"{*a,*a}".repeat(140)}b`,
    `${"{**/a/,**/a/}".repeat(70)}b`,
    `${"{a,aa}".repeat(7)}b`,
    `${"{a,".repeat(250)}a${"}".repeat(250)}b`,
    `${"{*".repeat(300)},a${"}".repeat(300)}b`,
    "[".repeat(1_000),
    "{".repeat(1_000),
    `{${"*a,".repeat(300)}*a}b`,
  ];
  const named = (patterns: readonly string[]) => patterns.map((text) => [`${text.slice(0, 16)}…`, text] as const);

  test.each(named(PATTERNS))("%s is refused with words: it would be tried on every path", async (_, pattern) => {
    expect(await faultOf(() => checkAsked({ glob: pattern }))).toMatchObject({
      code: "BAD_PARAMS",
      message: expect.stringContaining("has more than "),
    });
  });

  /** As much as the limits take, made to match no path of nothing but "a". */
  const MOST = [
    `${"*a".repeat(32)}b`,
    `${"**/".repeat(16)}b`,
    `${"**/a/".repeat(16)}b`,
    `${"**/*a*/".repeat(8)}b`,
    `${"**/?**/a**/".repeat(5)}b`,
    `${"{a,aa}".repeat(6)}b`,
    `${"{*a*,*aa*}".repeat(6)}b`,
    `${"{**/a/,**/aa/}".repeat(6)}b`,
    `${"{a,".repeat(16)}a${"}".repeat(16)}b`,
    `{${"*a,".repeat(31)}*a}b`,
    `*${"a".repeat(254)}b`,
  ];

  test.each(named(MOST))("%s, as much of it as is taken, is decided", (_, pattern) => {
    expect(checkAsked({ glob: pattern })).toEqual({ pattern });
    const { matches } = selectGlob(pattern);
    expect([LONG_NAME, DEEP].map((path) => matches(path))).toEqual([false, false]);
  });
});

describe("checkAsked()", () => {
  test("takes a path for a name, whatever it looks like", async () => {
    for (const path of ["photo [1].jpg", "old {2019}", "a*", "x".repeat(200) + "[".repeat(50)]) {
      expect(checkAsked({ path })).toEqual({ path });
    }
    expect(checkAsked({ path: "old {2019}/" })).toEqual({ path: "old {2019}" });
    expect(checkAsked({})).toBeUndefined();
    expect(await codeOf(() => checkAsked({ path: "../[a]" }))).toBe("BAD_PATH");
  });

  const { length, groups, stars } = GLOB_LIMITS;
  const nested = (depth: number) => `${"{a,".repeat(depth)}b${"}".repeat(depth)}`;

  test("takes what reaches its limits, and nothing beyond", async () => {
    for (const most of [`*${"a".repeat(length - 1)}`, nested(groups), "*a".repeat(stars)]) {
      expect(checkAsked({ glob: most })).toEqual({ pattern: most });
    }
    for (const more of [`*${"a".repeat(length)}`, nested(groups + 1), "*a".repeat(stars + 1)]) {
      expect(await codeOf(() => checkAsked({ glob: more }))).toBe("BAD_PARAMS");
    }
  });

  test("lets a name be as long as a path, and a folder have its slash", () => {
    const name = `${"x".repeat(200)}/${"y".repeat(200)}`;
    expect(checkAsked({ glob: name })).toEqual({ path: name });
    expect(checkAsked({ glob: "docs/" })).toEqual({ path: "docs" });
  });

  test.each(["", "/", "..", "docs//", "../*", "/etc/*", "docs/../**"])("%p is BAD_PATH", async (glob) => {
    expect(await codeOf(() => checkAsked({ glob }))).toBe("BAD_PATH");
  });
});

describe("isGlob()", () => {
  test.each(["*", "a?", "[a]", "{a,b}", "docs/**/x", "a]", "}"])("%p is a pattern", (text) => {
    expect(isGlob(text)).toBe(true);
  });

  test.each(["a", "docs/report.pdf", "two words", "-x", "a.b", "é(1)+$^|"])("%p is a name", (text) => {
    expect(isGlob(text)).toBe(false);
  });

  test("a name with an exclamation mark is a name: PROTOCOL.md gives it no meaning", () => {
    expect(["wow!/hello!.txt", "!important"].filter(isGlob)).toEqual([]);
  });
});

test("selectBelow() selects and enters everything below its folder", () => {
  const selection = selectBelow("docs");
  expect(selection.top).toBe("docs");
  expect(selection.matches("docs/a/b") && selection.reaches("docs/a")).toBe(true);
});

describe("reaches()", () => {
  test.each(TABLE)("of %p is true for every folder above what it selects", (pattern, _, yes) => {
    const { reaches } = selectGlob(pattern);
    for (const path of yes)
      for (const folder of foldersOf(path)) expect(`${folder} ${reaches(folder)}`).toBe(`${folder} true`);
  });

  test.each([
    ["docs/*.md", ["other", "docs2", "docs/sub", "other/docs"]],
    ["*/x/*.c", ["a/y", "a/x/b", "a/b/x"]],
    ["docs/**/a.md", ["other", "docs2"]],
    ["*", ["a", "a/b"]],
    ["a/b/c*", ["b", "a/c", "a/b/c", "c"]],
  ])("of %p is false for folders that have nothing to do with it", (pattern, folders) => {
    const { reaches } = selectGlob(pattern);
    expect(folders.filter(reaches)).toEqual([]);
  });

  test("of a path is true for the folders above it alone", () => {
    const { matches, reaches } = selectAt("a/b/c");
    expect(["a", "a/b", "a/b/c", "a/b/c/d", "a/x", "b", "aa"].filter(reaches)).toEqual(["a", "a/b"]);
    expect(["a", "a/b/c", "a/b/c/d", "a/b/cd"].filter(matches)).toEqual(["a/b/c", "a/b/c/d"]);
  });
});

describe("a selection for a peer that knows plain names only", () => {
  const odd = ["a\\b.txt", "C:/a.txt"];

  test("has no name that the peer does not know, and reaches into no such folder", () => {
    const selection = narrowTo("plain", selectGlob("**/*.txt"));
    expect(["a.txt", "d/a.txt", "a.md", ...odd].filter((path) => selection.matches(path))).toEqual([
      "a.txt",
      "d/a.txt",
    ]);
    expect(["d", "a\\b", "C:"].filter((folder) => selection.reaches(folder))).toEqual(["d"]);
    const named = narrowTo("plain", selectAt("docs"));
    expect([named.top, named.reaches(""), named.reaches("src"), named.matches("docs/a")]).toEqual([
      ...["docs", true, false, true],
    ]);
  });

  test("is as wide as ever for every other peer", () => {
    const selection = narrowTo("any", selectGlob("**/*.txt"));
    expect(odd.filter((path) => selection.matches(path))).toEqual(odd);
  });
});
