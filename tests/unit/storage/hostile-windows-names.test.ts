import { describe, expect, test } from "bun:test";
import { win32 } from "node:path";
import { pathFault } from "../../../lib/path.ts";
import { fromLocalName, toLocalName, toLocalPath } from "../../../lib/storage/local/names/local-names.ts";
import { NO_PATHS, PLAIN_NAMES, WINDOWS_PATHS } from "../../support/hostile-names.ts";

/**
 * What Windows opens as a device, whatever folder it stands in: the name up to its first dot or colon, without the
 * blanks behind it, is one of these (RtlIsDosDeviceName; also Python's os.path.isreserved()).
 */
function isDevice(name: string): boolean {
  const [stem = ""] = name.split(/[.:]/);
  return /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])$/i.test(stem.replace(/ +$/, ""));
}

const STEMS = ["CON", "prn", "Aux", "nul", "COM1", "com0", "COM¹", "lpt9", "LPT³", "CONIN$", "conout$"];
const DEVICES = STEMS.flatMap((stem) => [
  stem,
  `${stem}.txt`,
  `${stem}.tar.gz`,
  `${stem}.`,
  `${stem} `,
  `${stem} .txt`,
  `${stem}   .txt`,
  `${stem}:`,
  `${stem}:stream`,
  `${stem}...`,
]);
/** Names that only look like those. */
const HARMLESS = [
  "CONS",
  "console.txt",
  "nulls",
  "com",
  "COM10",
  "lpt",
  "my con",
  "con_",
  "xcon.txt",
  "CON-1.txt",
  "CON$",
];

describe("on Windows", () => {
  test.each(DEVICES)("%p is a file and no device, and is read back as what it is", (name) => {
    expect(isDevice(name)).toBe(true);
    const local = toLocalName(name, "win32");
    expect({ local, device: isDevice(local) }).toEqual({ local, device: false });
    expect(fromLocalName(local, "win32")).toBe(name);
  });

  test.each(HARMLESS)("%p keeps its name", (name) => {
    expect(toLocalName(name, "win32")).toBe(name);
  });

  test.each(["a:b", "a::$DATA", "a:$I30:$INDEX_ALLOCATION", "C:x", ":", "a:", "file.txt:Zone.Identifier"])(
    "%p is no stream of another file and no drive",
    (name) => {
      expect(toLocalName(name, "win32")).not.toContain(":");
      expect(fromLocalName(toLocalName(name, "win32"), "win32")).toBe(name);
    },
  );

  test.each(["dot.", "dots..", "blank ", "both. ", "both .", "...", ".. ", ". .", " "])(
    "%p is not the name that Windows makes of it, nor that of a folder above",
    (name) => {
      const local = toLocalName(name, "win32");
      expect(local).not.toMatch(/[. ]$/);
      expect(fromLocalName(local, "win32")).toBe(name);
    },
  );

  test.each(WINDOWS_PATHS)("%p is one name in its folder, and no way to another", (name) => {
    const local = toLocalName(name, "win32");
    expect(local).not.toMatch(/[\\/:]/);
    for (const folder of ["C:\\srv\\repository", "\\\\host\\share\\repository", "\\\\?\\C:\\srv"]) {
      const place = `${folder}\\docs\\${local}`;
      expect(win32.join(folder, toLocalPath(`docs/${name}`, "win32"))).toBe(place);
      expect(win32.resolve(folder, toLocalPath(`docs/${name}`, "win32"))).toBe(place);
      // At the top, too, where a drive would stand.
      expect(win32.join(folder, toLocalPath(name, "win32"))).toBe(`${folder}\\${local}`);
    }
    expect(fromLocalName(local, "win32")).toBe(name);
  });

  test("names that differ have names that differ there, but for the case of letters", () => {
    const names = [...DEVICES, ...HARMLESS, ...PLAIN_NAMES];
    const folded = new Map<string, string>();
    for (const name of new Set(names.map((each) => each.toLowerCase()))) {
      const local = toLocalName(name, "win32").toLowerCase();
      expect(folded.get(local) ?? name).toBe(name);
      folded.set(local, name);
    }
  });

  // A name on the server's disk: what is listed must not be read as something else.
  test.each(["%2E%2E", "%2E", "%2F", "a%2Fb", "%5Cx", "C%3A", "%00", "%0A", "a%1Bb", "%7F"])(
    "a file that is called %p there is no way out",
    (local) => {
      const name = fromLocalName(local, "win32");
      const isServed = pathFault(`folder/${name}`) === undefined;
      if (isServed) expect(name).not.toContain("/");
      if (isServed) expect(toLocalName(name, "win32")).toBe(local);
    },
  );

  test("what is no path anywhere is none by its mapping", () => {
    for (const text of Object.values(NO_PATHS)) expect(pathFault(text)).toBeDefined();
  });
});
