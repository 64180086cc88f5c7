/** One answer of an HTTP server. */
export interface HttpAnswer {
  readonly status: number;
  /** By their names in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  readonly body: string;
}

const HEAD = /^HTTP\/1\.1 (\d{3}) [\x20-\x7e]*\r\n((?:[!#$%&'*+.^_`|~\w-]+: ?[\x20-\x7e\x80-\xff\t]*\r\n)*)\r\n/;
const CHUNK = /^([0-9a-f]{1,8})\r\n/i;

/**
 * Parse the bytes of a server, as strictly as RFC 9112. `text` has a character for each byte.
 *
 * @param asksHead an answer to HEAD may be among them: it has a length, and no body
 * @returns the complete answers, and the beginning of the next
 * @throws Error for anything but HTTP
 */
export function readAnswers(text: string, asksHead = false): { answers: HttpAnswer[]; rest: string } {
  const answers: HttpAnswer[] = [];
  let rest = text;
  while (rest !== "") {
    const taken = readAnswer(rest, asksHead);
    if (taken === undefined) break;
    answers.push(taken.answer);
    rest = taken.rest;
  }
  return { answers, rest };
}

function readAnswer(text: string, asksHead: boolean): { answer: HttpAnswer; rest: string } | undefined {
  const [head, status = "", lines = ""] = HEAD.exec(text) ?? [];
  if (head === undefined) {
    const isBegun = text.length < 16_384 && !text.includes("\r\n\r\n") && "HTTP/1.1 ".startsWith(text.slice(0, 9));
    if (isBegun) return undefined;
    throw new Error(`this is no head of an answer: ${JSON.stringify(text.slice(0, 300))}`);
  }
  const fields = new Map<string, string>();
  for (const line of lines.split("\r\n").slice(0, -1)) {
    const [, name = "", value = ""] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    if (fields.has(name.toLowerCase())) throw new Error(`the field ${name} is there twice`);
    fields.set(name.toLowerCase(), value);
  }
  const after = text.slice(head.length);
  const answer = (body: string, rest: string) => ({ answer: { status: Number(status), fields, body }, rest });
  if (/^1|^204|^304/.test(status)) return answer("", after);
  if (asksHead && (after === "" || after.startsWith("HTTP/1.1 "))) return answer("", after);
  const length = fields.get("content-length");
  const isChunked = fields.get("transfer-encoding") === "chunked";
  if (isChunked && length !== undefined) throw new Error("an answer has two lengths");
  if (isChunked) {
    const body = readChunks(after);
    return body && answer(body.body, body.rest);
  }
  // Without a length, the end of the connection is its end.
  if (length === undefined) {
    if (fields.get("connection") !== "close") throw new Error(`an answer (${status}) has no length`);
    return answer(after, "");
  }
  if (!/^\d+$/.test(length)) throw new Error(`an answer has the length ${length}`);
  const end = Number(length);
  return after.length < end ? undefined : answer(after.slice(0, end), after.slice(end));
}

function readChunks(text: string): { body: string; rest: string } | undefined {
  let body = "";
  for (let rest = text; ; ) {
    const [head, digits = ""] = CHUNK.exec(rest) ?? [];
    if (head === undefined) {
      if (/^[0-9a-f]{0,8}\r?$/i.test(rest)) return undefined;
      throw new Error(`this is no chunk: ${JSON.stringify(rest.slice(0, 100))}`);
    }
    const [from, length] = [head.length, Number.parseInt(digits, 16)];
    if (rest.length < from + length + 2) return undefined;
    if (rest.slice(from + length, from + length + 2) !== "\r\n") throw new Error("a chunk does not end");
    body += rest.slice(from, from + length);
    rest = rest.slice(from + length + 2);
    if (length === 0) return { body, rest };
  }
}
