import type * as v from "valibot";
import { ProtocolError } from "../errors.ts";
import { decodeJson, decodeJsonLines, jsonText } from "./json.ts";

/** The longest record in a body of records, in bytes, its line feed included. */
export const MAX_RECORD_BYTES = 64 * 1024;

const LINE_FEED = 0x0a;
const encoder = new TextEncoder();

/** One record of a body: JSON and a line feed. Source: PROTOCOL.md, "Bodies of records". */
export function encodeRecord(value: unknown): Uint8Array {
  return encoder.encode(`${jsonText(value)}\n`);
}

/** Read a body of records one by one. @throws as decodeRecordBatches() */
export async function* decodeRecords<S extends v.GenericSchema>(
  schema: S,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<v.InferOutput<S>> {
  for await (const batch of decodeRecordBatches(schema, body)) yield* batch;
}

/**
 * Read a body of records, however its bytes were split, in batches as they arrive: waiting for each record would cost
 * more than the record.
 *
 * @throws ProtocolError BAD_PAYLOAD when a line is too long, not JSON, has the wrong shape, or is cut off
 */
export async function* decodeRecordBatches<S extends v.GenericSchema>(
  schema: S,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<v.InferOutput<S>[]> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const piece of body) {
    const bytes = rest.length === 0 ? piece : concat(rest, piece);
    const end = bytes.lastIndexOf(LINE_FEED) + 1;
    if (end > 0) yield decodeLines(schema, bytes.subarray(0, end));
    // A copy: the piece becomes invalid when the next one is requested.
    rest = new Uint8Array(bytes.subarray(end));
    if (rest.length >= MAX_RECORD_BYTES) throw tooLong();
  }
  if (rest.length > 0) throw new ProtocolError("BAD_PAYLOAD", "The last record is cut off.");
}

/** @throws as decodeRecordBatches() */
function decodeLines<S extends v.GenericSchema>(schema: S, lines: Uint8Array): v.InferOutput<S>[] {
  const batch = decodeJsonLines(schema, lines, "A record", MAX_RECORD_BYTES);
  if (batch !== undefined) return batch;
  const each: v.InferOutput<S>[] = [];
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf(LINE_FEED, start);
    // "A record MUST NOT be longer than 65536 bytes, line feed included, nor hold another line feed."
    // (PROTOCOL.md, "Bodies of records")
    if (end - start >= MAX_RECORD_BYTES) throw tooLong();
    each.push(decodeJson(schema, lines.subarray(start, end), "A record"));
    start = end + 1;
  }
  return each;
}

function tooLong(): ProtocolError {
  return new ProtocolError("BAD_PAYLOAD", `A record is longer than ${MAX_RECORD_BYTES} bytes.`);
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const joined = new Uint8Array(head.length + tail.length);
  joined.set(head);
  joined.set(tail, head.length);
  return joined;
}
