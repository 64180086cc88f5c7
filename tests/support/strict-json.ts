/**
 * Parses the JSON that PROTOCOL.md, "Payloads", allows, character by character: the oracle for lib/protocol/json.ts,
 * which leaves most of it to the platform. Returns the value; throws for anything else.
 */
export function parseStrictJson(text: string): unknown {
  let at = 0;

  function fail(): never {
    throw new Error(`no such JSON at ${at}`);
  }
  function skipBlanks(): void {
    while (at < text.length && " \t\r\n".includes(text[at] as string)) at++;
  }
  function take(expected: string): void {
    if (!text.startsWith(expected, at)) fail();
    at += expected.length;
  }
  function string(): string {
    take('"');
    let value = "";
    while (text[at] !== '"') {
      const character = text[at++] ?? fail();
      if (character < " ") fail();
      value += character === "\\" ? escaped() : character;
    }
    at++;
    return value.isWellFormed() ? value : fail();
  }
  function escaped(): string {
    const character = text[at++] ?? fail();
    if (character === "u") {
      const digits = text.slice(at, at + 4);
      at += 4;
      return /^[0-9a-fA-F]{4}$/.test(digits) ? String.fromCharCode(Number.parseInt(digits, 16)) : fail();
    }
    const meant = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" }[character];
    return meant ?? fail();
  }
  function members(close: string, member: () => void): void {
    at++;
    skipBlanks();
    if (text[at] === close) {
      at++;
      return;
    }
    for (;;) {
      skipBlanks();
      member();
      skipBlanks();
      if (text[at] === close) break;
      take(",");
    }
    at++;
  }
  function value(depth: number): unknown {
    skipBlanks();
    const first = text[at] ?? fail();
    if ("{[".includes(first) && depth === 32) fail();
    if (first === '"') return string();
    if (first === "[") {
      const items: unknown[] = [];
      members("]", () => items.push(value(depth + 1)));
      return items;
    }
    if (first === "{") {
      const object = new Map<string, unknown>();
      members("}", () => {
        const name = string();
        if (object.has(name)) fail();
        skipBlanks();
        take(":");
        object.set(name, value(depth + 1));
      });
      return Object.fromEntries(object);
    }
    const word = /^(?:true|false|null|0|[1-9][0-9]*)/.exec(text.slice(at))?.[0] ?? fail();
    at += word.length;
    return JSON.parse(word);
  }

  const read = value(0);
  skipBlanks();
  if (at < text.length) fail();
  return read;
}
