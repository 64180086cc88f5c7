import type { Prng } from "../prng.ts";

/** Texts that stand for numbers, which JSON.parse() reads, or does not. */
const NUMBERS = [
  ...[
    "0",
    "-0",
    "-1",
    "1",
    "1.5",
    "1e3",
    "1e400",
    "-1e400",
    "1e-400",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
  ],
  ...[
    "9007199254740991",
    "9007199254740992",
    "18446744073709551615",
    "NaN",
    "Infinity",
    "-Infinity",
    "01",
    "+1",
    "0x10",
    ".5",
  ],
  ...["1048576", "1048577", "16777216", "1099511627776", "65536", "65537"],
];
const VALUES = [
  "null",
  "true",
  "false",
  "{}",
  "[]",
  '""',
  "[null]",
  '{"a":{}}',
  "undefined",
  "'x'",
  "",
  '"\\u0000"',
  '"\\ud800"',
];
const TEXTS = [
  ...[
    "../outside.txt",
    "..",
    ".",
    "/",
    "/etc/passwd",
    "a//b",
    "a/./b",
    "a/../../outside.txt",
    "C:/x",
    "a\\b",
    "",
    " ",
    "docs",
    "docs/a.txt",
  ],
  ...[
    "escape/outside.txt",
    "escape",
    "loop/loop/docs",
    "x.commserver-part",
    "x.commserver-journal",
    "x.commserver-lock/y",
    ".commserver-part/x",
    "in",
    "in/new.txt",
  ],
  ...[
    "**",
    "*",
    "**/**/**/**/*a*a*a*a*b",
    "[",
    "{a,b",
    "{{{{a,b},c},d},e}",
    "[!a-z]",
    "[z-a]",
    "?",
    "docs/",
    "{,}{,}{,}{,}{,}{,}{,}{,}",
  ],
  ...[
    "all",
    "ALL",
    "server",
    "Client01",
    "operator",
    "__proto__",
    "constructor",
    "toString",
    "{{name}}",
    "{{token}}",
    "fail",
    "rename",
  ],
  ...[
    "\u0000",
    "\n",
    "\u001b[2J",
    "\u202e",
    "a\u0301",
    "\ufeff",
    "\ud83d\ude00",
    "%2e%2e/outside.txt",
    "nul",
    "con.txt",
    "a:b",
    "a.",
  ],
];
const KEYS = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "length",
  "then",
  "",
  "path",
  "id",
  "code",
  "message",
];

/**
 * `text` with one change at the level of JSON: another value, type or key, one more, one less, or twice the same. Text that is no JSON
 * is changed character by character.
 */
export function mutateJson(text: string, prng: Prng): string {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[-+.\w]+|[^\s]/g);
  if (tokens === null) return prng.pick(VALUES);
  const at = prng.below(tokens.length);
  const token = tokens[at] as string;
  switch (prng.below(9)) {
    case 0:
      tokens[at] = prng.pick(VALUES);
      break;
    case 1:
      tokens.splice(at, prng.between(1, 4));
      break;
    case 2:
      tokens.splice(at, 0, ...tokens.slice(at, at + prng.between(1, 4)));
      break;
    case 3:
      return deepened(tokens, at, prng);
    case 4:
      addMember(tokens, prng);
      break;
    default:
      tokens[at] = replaced(token, tokens[at + 1] === ":", prng);
  }
  return tokens.join("");
}

function replaced(token: string, isKey: boolean, prng: Prng): string {
  if (isKey) return JSON.stringify(prng.pick(KEYS));
  if (token.startsWith('"')) return strange(token, prng);
  if (/^[-\d]/.test(token)) return prng.chance(0.8) ? prng.pick(NUMBERS) : String(Number(token) + prng.between(-2, 2));
  if (/^[tfn]/.test(token)) return prng.pick([...VALUES, ...NUMBERS]);
  return prng.pick(["{", "}", "[", "]", ",", ":", "", '"']);
}

function strange(token: string, prng: Prng): string {
  switch (prng.below(6)) {
    case 0:
      return JSON.stringify(
        "x".repeat(prng.pick([64, 65, 128, 129, 256, 257, 1_024, 1_025, 4_000, 8_192, 8_193, 70_000])),
      );
    case 1:
      return JSON.stringify(prng.pick(["a/", "\u0000", "\u00e9", "\ud800"]).repeat(prng.pick([2, 100, 2_000, 8_190])));
    case 2:
      return `${token.slice(0, -1)}${prng.pick(["/", "\\ud800", "\\u0000", "\\", "/..", "\u0001", "\\n"])}"`;
    case 3:
      return prng.pick(NUMBERS);
    default:
      return JSON.stringify(prng.pick(TEXTS));
  }
}

/** Wrapped in brackets, at the edge of the limit of 32, or far beyond. */
function deepened(tokens: string[], at: number, prng: Prng): string {
  const depth = prng.pick([1, 29, 30, 31, 32, 33, 100, 2_000]);
  const [open, close] = prng.pick([
    ["[", "]"],
    ['{"a":', "}"],
  ]);
  tokens[at] = `${open.repeat(depth)}${tokens[at]}${close.repeat(prng.chance(0.9) ? depth : depth - 1)}`;
  return tokens.join("");
}

/** One more member somewhere: a dangerous key, or a second of the same. */
function addMember(tokens: string[], prng: Prng): void {
  const braces = tokens.flatMap((token, at) => (token === "{" ? [at] : []));
  if (braces.length === 0) return;
  const brace = prng.pick(braces);
  const keys = tokens.filter((_, at) => tokens[at + 1] === ":");
  const key = prng.chance(0.5) && keys.length > 0 ? prng.pick(keys) : JSON.stringify(prng.pick(KEYS));
  const value = prng.pick([...VALUES, ...NUMBERS, '{"polluted":true}', '{"size":1,"path":"x"}']);
  const isLast = tokens[brace + 1] === "}";
  tokens.splice(brace + 1, 0, `${key}:${value}${isLast ? "" : ","}`);
}
