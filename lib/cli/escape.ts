// Controls (also the C1 ones and DEL), line and paragraph separators, lone surrogates.
const CONTROLS = "\\p{Cc}\\p{Cs}\\u2028\\u2029";
// Characters that change the direction of writing.
const DIRECTIONS = "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069";
// Invisible characters, which make two names look alike. Not the joiners U+200C and U+200D: words and emoji need them.
const INVISIBLE = "\\u00ad\\u180e\\u200b\\u2060-\\u2064\\u3164\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}";
const UNSAFE = new RegExp(`[${CONTROLS}${DIRECTIONS}${INVISIBLE}]`, "gu");

/** JSON that is as safe as escapeText(), and still JSON: `\u202e` instead of the character. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, inJson);
}

/** Text of a peer, made safe for a terminal and for one line of a log: `\u{1b}` instead of the character. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, inText);
}

/** The most lines of one text that are shown as lines; the rest is one line. */
const MAX_LINES = 50;

/**
 * As escapeText(), for a terminal that shows a person's message: its lines stay lines. Each but the first has a mark in
 * front, so that none looks like another message, or like what this program says.
 */
export function escapeLines(text: string): string {
  const lines = text.split("\n");
  const shown = lines.length <= MAX_LINES ? lines : [...lines.slice(0, MAX_LINES), lines.slice(MAX_LINES).join("\n")];
  return shown.map((line, index) => `${index === 0 ? "" : "  | "}${escapeText(line)}`).join("\n");
}

const inText = kept((character) => `\\u{${hex(character.codePointAt(0) as number)}}`);

/** JSON has no escapes for code points, only for UTF-16 units. */
const inJson = kept((character) =>
  Array.from({ length: character.length }, (_, at) => `\\u${hex(character.charCodeAt(at)).padStart(4, "0")}`).join(""),
);

/** `make` with its results cached: unsafe characters are few, and a peer may send thousands of them each time. */
function kept(make: (character: string) => string): (character: string) => string {
  const escaped = new Map<string, string>();
  return (character) => {
    const before = escaped.get(character);
    if (before !== undefined) return before;
    const made = make(character);
    escaped.set(character, made);
    return made;
  };
}

function hex(code: number): string {
  return code.toString(16);
}
