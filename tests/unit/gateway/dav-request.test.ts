import { describe, expect, test } from "bun:test";
import { MAX_NAME_CHARS, MAX_PROPERTIES, readPropfind, readProppatch } from "../../../lib/gateway/dav-request.ts";

const head = '<?xml version="1.0" encoding="utf-8"?>';

describe("the body of a PROPFIND", () => {
  test("asks for all, for names, or for properties of any namespace", () => {
    expect(readPropfind("")).toBe("all");
    expect(readPropfind(`${head}<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>`)).toBe("all");
    expect(readPropfind(`<propfind xmlns="DAV:"><propname/></propfind>`)).toBe("names");
    const text = `${head}
      <a:propfind xmlns:a="DAV:"><a:prop><a:getetag/><x xmlns="urn:x"/><b:y xmlns:b="urn:&lt;"><a:z/></b:y><n/></a:prop></a:propfind>`;
    expect(readPropfind(text)).toEqual([
      { namespace: "DAV:", name: "getetag" },
      { namespace: "urn:x", name: "x" },
      { namespace: "urn:<", name: "y" },
      { namespace: "", name: "n" },
    ]);
  });

  const many = Array.from({ length: MAX_PROPERTIES + 1 }, (_, n) => `<p${n}/>`).join("");
  const bad: [name: string, text: string][] = [
    ["is no XML", "hello"],
    ["ends early", `<D:propfind xmlns:D="DAV:"><D:prop>`],
    ["has two roots", `<D:propfind xmlns:D="DAV:"/><a/>`],
    ["is something else", `<D:lockinfo xmlns:D="DAV:"/>`],
    ["is of another namespace", `<propfind><prop/></propfind>`],
    ["asks for nothing", `<D:propfind xmlns:D="DAV:"/>`],
    ["has a prefix that is bound to nothing", "<D:propfind><D:allprop/></D:propfind>"],
    ["has a document type", `<!DOCTYPE a><propfind xmlns="DAV:"><allprop/></propfind>`],
    ["has entities", `<!DOCTYPE a [<!ENTITY b "c">]><propfind xmlns="DAV:"><prop>&b;</prop></propfind>`],
    ["has a bomb", `<!DOCTYPE a [<!ENTITY b "1"><!ENTITY c "&b;&b;&b;">]><propfind xmlns="DAV:">&c;</propfind>`],
    [
      "would fetch a file",
      `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><propfind xmlns="DAV:">&b;</propfind>`,
    ],
    ["names an entity that there is not", `<propfind xmlns="DAV:"><prop>&b;</prop></propfind>`],
    ["is too deep", `<propfind xmlns="DAV:">${"<a>".repeat(100)}${"</a>".repeat(100)}</propfind>`],
    ["names too many", `<propfind xmlns="DAV:"><prop>${many}</prop></propfind>`],
    [
      "names one that each entry would repeat at length",
      `<propfind xmlns="DAV:" xmlns:a="${"a".repeat(MAX_NAME_CHARS)}"><prop><a:b/></prop></propfind>`,
    ],
    ["has a NUL", `<propfind xmlns="DAV:"><allprop/>\0</propfind>`],
  ];
  test.each(bad)("that %s is refused", (_, text) => {
    expect(() => readPropfind(text)).toThrow(/^(?:The body|A propfind)/);
  });
});

test("a PROPPATCH names what it would set and remove, and not what is in it", () => {
  const text = `<D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:z"><D:set><D:prop><Z:a><Z:b/></Z:a></D:prop></D:set><D:remove><D:prop><Z:c/></D:prop></D:remove></D:propertyupdate>`;
  expect(readProppatch(text).map(({ name }) => name)).toEqual(["a", "c"]);
  expect(() => readProppatch("")).toThrow();
  // It is of the right form, and changes nothing.
  expect(() => readProppatch(`<propertyupdate xmlns="DAV:"><set><prop/></set></propertyupdate>`)).toThrow();
  expect(() => readProppatch(`<propfind xmlns="DAV:"><prop><displayname/></prop></propfind>`)).toThrow();
});
