// Controls (also the C1 ones and DEL), line and paragraph separators, and what turns the direction of writing.
const UNSAFE = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Cs}]/gu;

/** JSON that is as safe, and still JSON: `\u202e` instead of the character. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (character) => {
    const code = (character.codePointAt(0) as number).toString(16);
    return `\\u${code.padStart(4, "0")}`;
  });
}

/** Text of a peer, made safe for a terminal and for one line of a log: `\u{1b}` instead of the character. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`);
}
