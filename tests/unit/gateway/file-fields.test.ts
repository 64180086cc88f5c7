import { describe, expect, test } from "bun:test";
import { parse } from "content-disposition";
import fc from "fast-check";
import { contentDisposition, contentType, digestFields } from "../../../lib/gateway/file-fields.ts";

describe("fields of a file", () => {
  test("tell its type by its name", () => {
    expect(contentType("a/b.txt")).toBe("text/plain");
    expect(contentType("b.TAR")).toBe("application/x-tar");
    for (const name of ["noext", "a.b/noext", ".hidden", "x.unknown-type"]) {
      expect(contentType(name)).toBe("application/octet-stream");
    }
  });

  test("give both names: one that every client reads, and the right one", () => {
    expect(contentDisposition("d/a b.txt")).toBe('inline; filename="a b.txt"');
    expect(contentDisposition("grün.txt")).toBe("inline; filename=gr_n.txt; filename*=UTF-8''gr%C3%BCn.txt");
  });

  test("of what a browser would run make it save it", () => {
    for (const name of ["a.html", "a.htm", "a.svg", "a.xhtml", "a.xml", "a.js", "a.pdf"]) {
      expect(contentDisposition(name)).toStartWith("attachment;");
    }
  });

  test("are one line of ASCII for every name, which can be read again", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (text) => {
        const name = text.replaceAll("/", "_");
        const value = contentDisposition(name);
        expect(value).toMatch(/^[\x20-\x7e]+$/);
        expect(parse(value).parameters["filename"]).toBe(name.toWellFormed());
      }),
    );
  });

  test("tell the digest in both forms", () => {
    const sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    expect(digestFields(sha256)).toEqual({
      digest: "SHA-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
      "repr-digest": "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
    });
  });
});
