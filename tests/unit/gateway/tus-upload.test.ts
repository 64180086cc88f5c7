import { describe, expect, test } from "bun:test";
import { idOf, placeOf, readMetadata, uploadOf } from "../../../lib/gateway/tus-upload.ts";
import { codeOf } from "../../support/fault.ts";

const UUID = "01234567-89ab-cdef-0123-456789abcdef";
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("the address of an upload", () => {
  test("leads back to its size, its time and its part", () => {
    const upload = { size: 10_000_000_000, modifiedAt: 1_700_000_000_000, etag: `http-1700000000000-${UUID}` };
    expect(idOf(upload)).toBe(`10000000000-1700000000000-${UUID}`);
    expect(uploadOf(idOf(upload))).toEqual(upload);
  });

  test.each([
    null,
    "",
    "1-2",
    `1-2-${UUID}0`,
    `1-2-${UUID.toUpperCase()}`,
    ` 1-2-${UUID}`,
    `-1-2-${UUID}`,
    `12345678901234567-2-${UUID}`,
    `1-1234567890123456-${UUID}`,
    `1-2-${UUID}/../x`,
  ])("is not %p", async (id) => {
    expect(await codeOf(() => uploadOf(id))).toBe("NOT_FOUND");
  });
});

describe("Upload-Metadata", () => {
  test("has keys with values, or alone", () => {
    const metadata = readMetadata(`filename ${base64("ä b.txt")}, is_private ,type  ${base64("x")}`);
    expect([...metadata]).toEqual([
      ["filename", "ä b.txt"],
      ["is_private", ""],
      ["type", "x"],
    ]);
    for (const none of [undefined, "", " , "]) expect(readMetadata(none).size).toBe(0);
  });

  test.each(["a b c", "a !!", "filename ====="])("that is %p is BAD_PARAMS", async (value) => {
    expect(await codeOf(() => readMetadata(value))).toBe("BAD_PARAMS");
  });
});

describe("an upload goes", () => {
  const named = (key: string, name: string) => new Map([[key, name]]);

  test("to the file that its address names, whatever its metadata say", () => {
    expect(placeOf("a/b", false, named("filename", "c"))).toBe("a/b");
  });

  test("into a folder under the name that its metadata have", () => {
    expect(placeOf("a", true, named("filename", "c"))).toBe("a/c");
    expect(placeOf("", true, named("name", "c"))).toBe("c");
    expect(
      placeOf(
        "a",
        true,
        new Map([
          ["name", "second"],
          ["filename", "first"],
        ]),
      ),
    ).toBe("a/first");
  });

  test("nowhere without a name, or with one that has a slash", async () => {
    expect(await codeOf(() => placeOf("a", true, new Map()))).toBe("BAD_PARAMS");
    expect(await codeOf(() => placeOf("a", true, named("filename", "")))).toBe("BAD_PARAMS");
    expect(await codeOf(() => placeOf("a", true, named("filename", "b/c")))).toBe("BAD_PATH");
    expect(await codeOf(() => placeOf("a", true, named("filename", "../c")))).toBe("BAD_PATH");
  });
});
