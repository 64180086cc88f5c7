import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Texts that are not repository paths, by their fault. */
export const NO_PATHS: Readonly<Record<string, string>> = {
  empty: "",
  "a dot": ".",
  "two dots": "..",
  "two dots in front": "../outside/secret",
  "two dots within": "docs/../../outside/secret",
  "two dots behind": "docs/..",
  "a dot within": "docs/./a.txt",
  "a slash behind": "docs/a.txt/",
  "two slashes": "docs//a.txt",
  absolute: "/etc/passwd",
  "absolute by two slashes": "//etc/passwd",
  NUL: "docs/a.txt\0.png",
  "a line feed": "docs/a\n.txt",
  "a carriage return": "docs/a\r.txt",
  escape: "docs/\u001b[2Ja.txt",
  bell: "docs/a\u0007",
  delete: "docs/a\u007f",
  C1: "docs/a\u009b2J",
  "half a character": "docs/a\ud800",
  "the other half": "\udc00",
  "a name of 256 bytes": `docs/${"x".repeat(256)}`,
  "a name of 256 bytes, 128 characters": "é".repeat(128),
  "129 components": "d/".repeat(128).concat("d"),
  "4097 bytes": "abcdefg/".repeat(512).concat("z"),
};

/**
 * Names that would lead elsewhere on Windows if it read them as paths: not valid for a peer that knows only plain
 * paths.
 */
export const WINDOWS_PATHS: readonly string[] = [
  "C:",
  "C:x",
  "z:",
  "C:\\",
  "C:\\Windows\\win.ini",
  "C:..\\outside\\secret",
  "\\\\host\\share\\x",
  "\\\\?\\C:\\x",
  "\\\\.\\PhysicalDrive0",
  "..\\outside\\secret",
  "..\\",
  ".\\",
  "\\..",
  "\\",
  "docs\\a.txt",
  "x\\..\\..\\outside\\secret",
];

/** Texts that look like something special, and are ordinary names. */
export const PLAIN_NAMES: readonly string[] = [
  "%2e%2e",
  "%2e%2e%2fsecret",
  "..%00",
  "\uff0e\uff0e", // fullwidth dots
  "\u2024\u2024", // one dot leaders
  "\u2025", // a two dot leader
  "\u2044etc\u2044passwd", // fraction slashes
  "\u2215etc", // a division slash
  "\uff3c", // a fullwidth backslash
  ".. ",
  " ..",
  "...",
  ".. .",
  "..\u200b",
  "\ufeff..",
  "~",
  "~root",
  "$HOME",
  "`id`",
  "-rf",
  "--",
  "CON",
  "nul.txt",
  "com1",
  "LPT\u00b9.log",
  "aux ",
  "file:stream",
  "file::$DATA",
  "dot.",
  "blank ",
  "PROGRA~1",
  "[x]",
  "{a,b}",
  "a*b?",
  "desktop.ini",
  ".htaccess",
  "x".repeat(255),
  "é".repeat(127),
  ...WINDOWS_PATHS,
];

/** Everything below a folder: kind and content of each entry; for links, their target. */
export function snapshot(folder: string, below = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(folder, below)).sort()) {
    const path = below === "" ? name : `${below}/${name}`;
    const stats = lstatSync(join(folder, path));
    if (stats.isDirectory()) Object.assign(found, { [path]: "folder" }, snapshot(folder, path));
    else if (stats.isSymbolicLink()) found[path] = `link to ${readlinkSync(join(folder, path))}`;
    else found[path] = stats.isFile() ? `file ${readFileSync(join(folder, path), "latin1")}` : "other";
  }
  return found;
}
