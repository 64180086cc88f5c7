import { readFileSync } from "node:fs";
import { join } from "node:path";

/** PROTOCOL.md, parsed for the tests. Anything that does not parse throws: an unchecked block is worse than none. */
export const PAGE = readFileSync(join(import.meta.dir, "../../PROTOCOL.md"), "utf8");

export interface Vector {
  /** The line in PROTOCOL.md. */
  readonly line: number;
  readonly name: string;
  readonly stream: number;
  readonly flags: number;
  readonly length: number;
  /** The payload, as the block's second line describes it. */
  readonly payload: { kind: "json"; text: string } | { kind: "hex" | "empty"; bytes: Buffer };
  readonly bytes: Buffer;
}

export interface Invalid {
  readonly line: number;
  readonly code: string;
  readonly bytes: Buffer;
}

/** A chunk of a transfer, with its header in words. */
export interface ChunkVector extends Pick<Vector, "line" | "name" | "length" | "payload" | "bytes"> {
  readonly id: number;
  readonly offset: number;
}

interface Block {
  readonly line: number;
  readonly info: string;
  readonly lines: string[];
}

export function readVectors(page = PAGE): Vector[] {
  return blocksOf(page)
    .filter(({ info }) => info.startsWith("vector"))
    .map(parseVector);
}

export function readInvalids(page = PAGE): Invalid[] {
  return blocksOf(page)
    .filter(({ info }) => info.startsWith("invalid"))
    .map(({ line, info, lines }) => {
      const code = /^invalid ([A-Z_]+)$/.exec(info)?.[1];
      if (code === undefined) throw new Error(`PROTOCOL.md:${line}: cannot read "${info}"`);
      return { line, code, bytes: parseHex(lines.join(" "), line) };
    });
}

export function readChunks(page = PAGE): ChunkVector[] {
  return blocksOf(page)
    .filter(({ info }) => info.startsWith("chunk"))
    .map(({ line, lines: [head = "", payload = "", ...hex] }) => {
      const found = /^([A-Z]+) id=(\d+) offset=(\d+) length=(\d+)$/.exec(head);
      if (found === null) throw new Error(`PROTOCOL.md:${line}: cannot read "${head}"`);
      const [, name = "", id, offset, length] = found;
      return {
        line,
        name,
        id: Number(id),
        offset: Number(offset),
        length: Number(length),
        payload: parsePayload(payload, line),
        bytes: parseHex(hex.join(" "), line),
      };
    });
}

/** The rows of the only table whose first column has this heading, keyed by the headings. */
export function readTable(...headings: string[]): Record<string, string>[] {
  return readTableOf(PAGE, ...headings);
}

export function readTableOf(page: string, ...headings: string[]): Record<string, string>[] {
  const lines = page.split("\n");
  const starts = lines.flatMap((text, at) => (cellsOf(text).join("|") === headings.join("|") ? [at] : []));
  if (starts.length !== 1) throw new Error(`${starts.length} tables have the columns ${headings}`);
  const rows: Record<string, string>[] = [];
  for (let at = (starts[0] as number) + 2; lines[at]?.startsWith("|"); at++) {
    const cells = cellsOf(lines[at] as string);
    if (cells.length !== headings.length) throw new Error(`line ${at + 1}: ${cells.length} cells`);
    rows.push(Object.fromEntries(headings.map((heading, column) => [heading, cells[column] as string])));
  }
  if (rows.length === 0) throw new Error(`The table ${headings} is empty`);
  return rows;
}

function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  for (const [at, text] of page.split("\n").entries()) {
    if (!text.startsWith("```")) open?.lines.push(text);
    else if (open === undefined) open = { line: at + 1, info: text.slice(3).trim(), lines: [] };
    else {
      blocks.push(open);
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`PROTOCOL.md:${open.line}: the block has no end`);
  return blocks;
}

function parseVector({ line, lines }: Block): Vector {
  const [head = "", payload = "", ...hex] = lines;
  const found = /^([A-Z]+) stream=(\d+) flags=(\d+) length=(\d+)$/.exec(head);
  if (found === null) throw new Error(`PROTOCOL.md:${line}: cannot read "${head}"`);
  const [, name = "", stream, flags, length] = found;
  return {
    line,
    name,
    stream: Number(stream),
    flags: Number(flags),
    length: Number(length),
    payload: parsePayload(payload, line),
    bytes: parseHex(hex.join(" "), line),
  };
}

function parsePayload(text: string, line: number): Vector["payload"] {
  const [, kind, rest = ""] = /^payload (json|hex|empty)(?: (.+))?$/.exec(text) ?? [];
  if (kind === "json") return { kind, text: rest };
  if (kind === "hex") return { kind, bytes: parseHex(rest, line) };
  if (kind === "empty" && rest === "") return { kind, bytes: Buffer.alloc(0) };
  throw new Error(`PROTOCOL.md:${line}: cannot read "${text}"`);
}

function parseHex(text: string, line: number): Buffer {
  const digits = text.replace(/\s/g, "");
  if (!/^([0-9a-f]{2})+$/.test(digits)) throw new Error(`PROTOCOL.md:${line}: not hexadecimal: "${text}"`);
  return Buffer.from(digits, "hex");
}

/** The cells of a line of a table; none for any other line. */
function cellsOf(text: string): string[] {
  if (!/^\|.*\|$/.test(text)) return [];
  return text
    .slice(1, -1)
    .split("|")
    .map((cell) => cell.trim());
}
