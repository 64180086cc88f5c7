/** What holds for every document: lines that fit a screen, links that lead somewhere, none of the words that CONTRIBUTING.md strikes. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const COLUMNS = 120;
const DOCUMENTS = ["*.md", "{bench,docs,findings,tests}/**/*.md"].flatMap((glob) => [
  ...new Bun.Glob(glob).scanSync(ROOT),
]);

/** Turns of phrase from CONTRIBUTING.md, "English", that have crept in before and that no good sentence needs. */
const STRUCK =
  /\banew\b|\bto be had\b|\bgone on with\b|\bis told to\b|\b[Ww]ho(?:ever)? comes in\b|\bwhat to wait for\b/;

const textOf = (document: string) => readFileSync(join(ROOT, document), "utf8");

interface Line {
  readonly at: string;
  readonly text: string;
}

/** Lines of prose: neither tables nor code, which have a form of their own. */
function proseOf(document: string): Line[] {
  let isCode = false;
  return textOf(document)
    .split("\n")
    .map((text, index) => ({ at: `${document}:${index + 1}`, text }))
    .filter(({ text }) => {
      const isFence = /^\s*```/.test(text);
      if (isFence) isCode = !isCode;
      return !isFence && !isCode && !/^\s*\|/.test(text);
    });
}

/** The fragments under which the headings of a document are found. */
function fragmentsOf(document: string): string[] {
  return proseOf(document).flatMap(({ text }) => {
    const title = /^#+ (.+)$/.exec(text)?.[1];
    return title === undefined
      ? []
      : [
          title
            .toLowerCase()
            .replace(/[^\p{L}\p{N} _-]/gu, "")
            .replaceAll(" ", "-"),
        ];
  });
}

describe.each(DOCUMENTS)("%s", (document) => {
  test(`has no line of prose above ${COLUMNS} columns`, () => {
    expect(proseOf(document).filter(({ text }) => [...text].length > COLUMNS)).toEqual([]);
  });

  test("has no link that leads nowhere", () => {
    const links = [...textOf(document).matchAll(/\]\(([^()\s]+)\)/g)].map(([, link]) => link as string);
    const dead = links.filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [file = "", fragment] = link.split("#");
      const target = file === "" ? document : posix.join(posix.dirname(document), file);
      if (!existsSync(join(ROOT, target))) return true;
      return fragment !== undefined && !fragmentsOf(target).includes(fragment);
    });
    expect(dead).toEqual([]);
  });

  test("has none of the words that CONTRIBUTING.md strikes", () => {
    expect(proseOf(document).filter(({ text }) => STRUCK.test(text))).toEqual([]);
  });
});

test("the comments and messages of lib have none of these words", () => {
  const lines = [...new Bun.Glob("lib/**/*.ts").scanSync(ROOT)].flatMap((file) =>
    textOf(file)
      .split("\n")
      .map((text, index) => ({ at: `${file}:${index + 1}`, text })),
  );
  expect(lines.length).toBeGreaterThan(10_000);
  expect(lines.filter(({ text }) => STRUCK.test(text))).toEqual([]);
});

test("CONTRIBUTING.md names files and folders that are there, those of lib without its name", () => {
  const named = [...textOf("CONTRIBUTING.md").matchAll(/`([\w.-]+\/[\w./-]*)`/g)].map(([, path]) => path as string);
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((path) => ![path, `lib/${path}`].some((place) => existsSync(join(ROOT, place))))).toEqual([]);
});

test("the documents are found", () => {
  expect(DOCUMENTS).toEqual(expect.arrayContaining(["CONTRIBUTING.md", "PROTOCOL.md", "README.md", "SECURITY.md"]));
});
