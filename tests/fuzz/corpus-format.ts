import { OPCODES, type OpcodeName } from "../support/frames.ts";
import { KINDS, type KindName } from "../support/raw-chunks.ts";
import { admit, welcome } from "./admit.ts";
import {
  ACTS,
  type Act,
  type ChunkSpec,
  type Content,
  type Conversation,
  type Payload,
  type Step,
} from "./conversation.ts";
import { MANNER_NAMES, type MannerName } from "./targets/manners.ts";

/**
 * Read a conversation as the corpus holds it (see corpus/README.md).
 *
 * @throws Error with the line that can't be read
 */
export function parseConversation(name: string, text: string): Conversation {
  const parsed = {
    name,
    plays: "client" as Conversation["plays"],
    seats: 8,
    wait: false,
    split: 0,
    steps: [] as Step[],
  };
  let then: MannerName | undefined;
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] as string).replace(/\r$/, "");
    if (line === "" || line.startsWith("#")) continue;
    try {
      const setting = /^(plays|seats|wait|split|then) (\S+)$/.exec(line);
      if (setting !== null) {
        const [, key, value] = setting;
        if (key === "plays") parsed.plays = value === "server" || value === "web" ? value : "client";
        else if (key === "then") then = mannerOf(value as string);
        else if (key === "wait") parsed.wait = value === "yes";
        else parsed[key as "seats" | "split"] = Number(value);
        continue;
      }
      const below: string[] = [];
      while (lines[at + 1]?.startsWith("    ")) below.push((lines[++at] as string).slice(4));
      parsed.steps.push(...parseLine(line, below));
    } catch (error) {
      throw new Error(
        `${name}: ${JSON.stringify(line.slice(0, 200))}: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
  return { ...parsed, ...(then !== undefined && { then }) };
}

function mannerOf(word: string): MannerName {
  const name = MANNER_NAMES.find((one) => one === word);
  if (name === undefined) throw new Error(`no server goes on so: ${word}`);
  return name;
}

function parseLine(line: string, below: readonly string[]): Step[] {
  const match = /^(\d*)([<>!]) (\S+) ?(.*)$/s.exec(line);
  if (match === null) throw new Error("neither a setting nor a step");
  const [, digits, sign, word, rest] = match as unknown as [string, string, string, string, string];
  const peer = digits === "" ? 1 : Number(digits);
  if (sign === "!") return [parseAct(peer, word, rest)];
  if (sign === ">" && word === "admit") return admit(peer, rest === "" ? {} : JSON.parse(rest));
  if (sign === ">" && word === "welcome") return welcome(peer, rest === "" ? {} : JSON.parse(rest));
  if (sign === ">" && word === "RAW")
    return [{ kind: "raw", peer, bytes: Buffer.from(rest.replaceAll(" ", ""), "hex") }];
  if (word === "HTTP" && sign === ">") return [{ kind: "http", peer, text: parseHttp(below) }];
  if (word === "HTTP") return [{ kind: "answer", peer, status: Number(rest) }];
  if (!(word in OPCODES)) throw new Error(`no opcode ${word}`);
  const opcode = word as OpcodeName;
  const fields = /^(\d+)?(?: ?flags=(\d+))?(?: ?\b(END)\b)? ?(.*)$/s.exec(rest) as RegExpExecArray;
  const [, id, flags, end, body] = fields as unknown as [string, string?, string?, string?, string?];
  const stream = Number(id ?? 0);
  if (sign === "<") {
    return [
      { kind: "expect", peer, opcode, ...(id !== undefined && { stream }), ...(body && { json: JSON.parse(body) }) },
    ];
  }
  const payload = parsePayload(body ?? "", below);
  return [{ kind: "frame", peer, opcode, stream, flags: end ? 1 : Number(flags ?? 0), payload }];
}

/** Each line ends with CRLF, but one that ends with a backslash. */
function parseHttp(below: readonly string[]): string {
  const text = below.map((line) => (line.endsWith("\\") ? line.slice(0, -1) : `${line}\r\n`)).join("");
  return text.replace(/\\x([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

function parseAct(peer: number, word: string, rest: string): Step {
  if (word === "call") return { kind: "call", peer, call: rest };
  if (!ACTS.includes(word as Act)) throw new Error(`no act ${word}`);
  return { kind: "act", peer, act: word as Act };
}

function parsePayload(text: string, below: readonly string[]): Payload {
  if (text === "records") return { is: "records", lines: below };
  if (text === "chunks") return { is: "chunks", chunks: below.map(parseChunk) };
  return parseContent(text);
}

function parseContent(text: string): Content {
  const [word, rest = ""] = splitOnce(text);
  if (text === "") return { is: "bytes", bytes: Buffer.alloc(0) };
  if (word === "hex") return { is: "bytes", bytes: Buffer.from(rest.replaceAll(" ", ""), "hex") };
  if (word === "fill") return { is: "fill", length: Number(rest) };
  if (word === "json") return { is: "text", text: rest };
  if (word === "u32") {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(Number(rest));
    return { is: "bytes", bytes };
  }
  if (!text.startsWith("{")) throw new Error("no payload begins so");
  return { is: "text", text };
}

function parseChunk(line: string): ChunkSpec {
  const [word, id, ...rest] = line.split(" ");
  const kind = KINDS[word as KindName] ?? Number(word);
  if (Number.isNaN(kind)) throw new Error(`no chunk ${word}`);
  let block = 0;
  const lies: { length?: number; digest?: boolean; check?: boolean } = {};
  while (/^[@~]/.test(rest[0] ?? "")) {
    const option = rest.shift() as string;
    if (option.startsWith("@")) block = Number(option.slice(1));
    else if (option.startsWith("~length=")) lies.length = Number(option.slice(8));
    else lies[option.slice(1) as "digest" | "check"] = true;
  }
  return { kind, id: Number(id), block, payload: parseContent(rest.join(" ")), lies };
}

function splitOnce(text: string): [string, string?] {
  const at = text.indexOf(" ");
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
