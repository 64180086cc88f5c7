import { pattern } from "../support/bytes.ts";
import { frame, type OpcodeName } from "../support/frames.ts";
import { checkOf, HEADER_BYTES } from "../support/raw-chunks.ts";
import type { MannerName } from "./targets/manners.ts";

/** One chunk of a transfer's body; encoded with the right digest and check, unless `lies` say otherwise. */
export interface ChunkSpec {
  readonly kind: number;
  readonly id: number;
  readonly block: number;
  readonly payload: Content;
  /** What its header says falsely: another length, a digest or a check that is off by one bit. */
  readonly lies: { readonly length?: number; readonly digest?: boolean; readonly check?: boolean };
}

/** Bytes as they can be written down: text with placeholders, plain bytes, or so many of a known pattern. */
export type Content =
  | { readonly is: "text"; readonly text: string }
  | { readonly is: "bytes"; readonly bytes: Buffer }
  | { readonly is: "fill"; readonly length: number };

/** What a frame carries. */
export type Payload =
  | Content
  | { readonly is: "records"; readonly lines: readonly string[] }
  | { readonly is: "chunks"; readonly chunks: readonly ChunkSpec[] };

export const ACTS = ["turn", "half-close", "close", "reset", "reconnect", "pause", "resume"] as const;
/** What a peer does with its link. "turn" lets the other side work; "reconnect" is "reset" and another link. */
export type Act = (typeof ACTS)[number];

export interface FrameStep {
  readonly kind: "frame";
  readonly peer: number;
  readonly opcode: OpcodeName;
  readonly stream: number;
  readonly flags: number;
  readonly payload: Payload;
}

export interface ExpectStep {
  readonly kind: "expect";
  readonly peer: number;
  readonly opcode: OpcodeName;
  /** Of any stream when absent. */
  readonly stream?: number;
  /** Members that the payload must have, among others. */
  readonly json?: unknown;
}

export type Step =
  | FrameStep
  | ExpectStep
  /** Bytes that are no frame any more, or never were. */
  | { readonly kind: "raw"; readonly peer: number; readonly bytes: Buffer }
  | { readonly kind: "act"; readonly peer: number; readonly act: Act }
  /** Text of HTTP, a character for each byte. */
  | { readonly kind: "http"; readonly peer: number; readonly text: string }
  /** An answer in HTTP that must come. */
  | { readonly kind: "answer"; readonly peer: number; readonly status: number }
  /** A client under test is asked for something: see targets/client-calls.ts. */
  | { readonly kind: "call"; readonly peer: number; readonly call: string };

/** What one or more peers say and do, in order, to a server under test, or as servers to a client under test. */
export interface Conversation {
  readonly name: string;
  /** Which side the fuzzer plays; "web" is a client in HTTP. */
  readonly plays: "client" | "server" | "web";
  /** Seats of the server under test. */
  readonly seats: number;
  /** Whether a client under test would queue. */
  readonly wait: boolean;
  /** What a server goes on with for ever, when all steps were played, instead of cutting its links: see targets/manners.ts. */
  readonly then?: MannerName;
  /** 0: each frame is one write. Else the seed by which the bytes are cut and joined. */
  readonly split: number;
  readonly steps: readonly Step[];
}

/** What a peer has learned and refers to: `{{name}}`, `{{token}}` and `{{nonce}}` in texts. */
export interface Known {
  name: string;
  token: string;
  /** Of the other side's AUTH. */
  nonce: string;
}

/** The bytes that a step sends; none when it is no frame. */
export function encodeStep(step: Step, known: Known): Buffer {
  if (step.kind === "raw") return step.bytes;
  if (step.kind === "http") return Buffer.from(fillIn(step.text, known), "latin1");
  if (step.kind !== "frame") return Buffer.alloc(0);
  return frame(step.opcode, encodePayload(step.payload, known), step.stream >>> 0, step.flags);
}

export function encodePayload(payload: Payload, known: Known): Buffer {
  switch (payload.is) {
    case "records":
      return Buffer.from(payload.lines.map((line) => `${fillIn(line, known)}\n`).join(""));
    case "chunks":
      return Buffer.concat(payload.chunks.map((chunk) => encodeChunk(chunk, known)));
    default:
      return encodeContent(payload, known);
  }
}

function encodeContent(content: Content, known: Known): Buffer {
  switch (content.is) {
    case "text":
      return Buffer.from(fillIn(content.text, known));
    case "bytes":
      return content.bytes;
    case "fill":
      return filled(content.length);
  }
}

export function encodeChunk(chunk: ChunkSpec, known: Known): Buffer {
  const { kind, id, block, lies } = chunk;
  const payload = encodeContent(chunk.payload, known);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(kind, 0);
  header.writeUIntBE(lies.length ?? payload.length, 1, 3);
  header.writeUInt32BE(id, 4);
  header.writeUInt32BE(block, 8);
  header.writeBigUInt64BE(Bun.hash.xxHash3(payload, BigInt(block)) ^ (lies.digest ? 1n : 0n), 16);
  header.writeUInt32BE((checkOf(header) ^ (lies.check ? 1 : 0)) >>> 0, 12);
  return Buffer.concat([header, payload]);
}

function fillIn(text: string, known: Known): string {
  return text
    .replaceAll("{{name}}", known.name)
    .replaceAll("{{token}}", known.token)
    .replaceAll("{{nonce}}", known.nonce);
}

const fills = new Map<number, Buffer>();

/** The first `length` bytes of the pattern, made once. */
export function filled(length: number): Buffer {
  const made = fills.get(length) ?? Buffer.from(pattern(length));
  fills.set(length, made);
  return made;
}
