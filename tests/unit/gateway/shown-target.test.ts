import { describe, expect, test } from "bun:test";
import { shownTarget, withoutSecrets } from "../../../lib/gateway/shown-target.ts";

const SECRET = "AZaz09-_bcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
const encoded = [...SECRET].map((char) => `%${char.charCodeAt(0).toString(16)}`).join("");

describe("how a target is shown", () => {
  test.each([
    `/link/${SECRET}/a.txt`,
    `/link/${SECRET}`,
    `/Link/${SECRET}.`,
    `/link/${SECRET}x`,
    `/link/${SECRET.slice(0, 42)}`,
    `/%6cink/${SECRET}/a`,
    `/%256cink/${SECRET}/a`,
    `/link/${encoded}/a`,
    `/link/${encoded.replaceAll("%", "%25")}/a`,
    `/link%2F${SECRET}`,
    `/link\\${SECRET}`,
    `//link//${SECRET}`,
    `/./link/${SECRET}`,
    `/${SECRET}/a.txt`,
    `/x/link/${SECRET}`,
    `link/${SECRET}/a`,
    `/?u=/link/${SECRET}/a`,
    `http://files.test/link/${SECRET}/a`,
    `/files/../link/${SECRET}/a`,
    `/files/%2e%2e/link/${SECRET}/a`,
    `/files/..%2flink%2f${SECRET}%2fa`,
    `/files/link/${SECRET}/a`,
    `http://files.test/files/../link/${SECRET}/a`,
    `/files/?etag=/link/${SECRET}`,
  ])("never holds the secret of a link: %s", (target) => {
    const shown = decodeURIComponent(decodeURIComponent(shownTarget(target)));
    expect(shown).not.toContain(SECRET.slice(0, 30));
    expect(shown).toContain("…");
  });

  test("never holds the secret of a token", () => {
    expect(shownTarget(`http://web:${SECRET}@files.test/files/a`)).toBe("http://…@files.test/files/a");
    expect(shownTarget(`/files/?next=https://web:${SECRET}@files.test/`)).toBe("/files/?next=https://…@files.test/");
  });

  test.each([
    `/files/${SECRET}`,
    `/files/blobs/${SECRET}/a.txt`,
    "/files/link/a.txt",
    "/files/links/a-name-of-more-than-twenty-four-characters",
    "/files/a@b",
    "/",
  ])("is a name below /files/ as it came: %s", (target) => {
    expect(shownTarget(target)).toBe(target);
  });
});

test("words that quote a path hold no secret of a link, and all else", () => {
  expect(withoutSecrets(`"../link/${SECRET}/a" is not a path.`)).toBe('"../link/…/a" is not a path.');
  expect(withoutSecrets(`"link/${SECRET}" is not there.`)).toBe('"link/…" is not there.');
  expect(withoutSecrets(`"blobs/${SECRET}" is not there.`)).toBe(`"blobs/${SECRET}" is not there.`);
});
