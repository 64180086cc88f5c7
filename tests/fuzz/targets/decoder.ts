import type * as v from "valibot";
import { CommError, ProtocolError } from "../../../lib/errors.ts";
import { FrameDecoder, type FrameSink } from "../../../lib/protocol/frame-decoder.ts";
import { decodeHeader } from "../../../lib/protocol/header.ts";
import { decodeJson } from "../../../lib/protocol/json.ts";
import { Hello, Open, Queued, Reason, Refuse, Result, Welcome } from "../../../lib/protocol/messages.ts";
import {
  Change,
  Entry,
  FileFacts,
  GetRequest,
  PutAnswer,
  PutFile,
  StatusResult,
} from "../../../lib/protocol/methods.ts";
import { decodeRecords } from "../../../lib/protocol/records.ts";
import { digest64 } from "../../../lib/storage/digest64.ts";
import { BlockPool } from "../../../lib/transfer/block-pool.ts";
import { ChunkReader } from "../../../lib/transfer/chunk-reader.ts";
import { allocationsDuring } from "../../support/allocations.ts";
import { splitAt } from "../../support/bytes.ts";
import { type Conversation, encodePayload, encodeStep } from "../conversation.ts";
import type { Findings } from "../finding.ts";
import { Prng } from "../prng.ts";
import { hashOf, headerFault, noteData, readChunks, readFrames } from "../reference.ts";
import type { Site, SiteOptions } from "./site.ts";

const KNOWN = { name: "Client01", token: "token", nonce: "nonce" };
const SCHEMAS = [Hello, Welcome, Refuse, Queued, Reason, Open, Result, StatusResult, PutFile, FileFacts, Entry];
const RECORDS = [GetRequest, PutAnswer, Change, Entry];

type MakeDecoder = (sink: FrameSink) => Pick<FrameDecoder, "push" | "maxControlBytes">;

/** The decoders alone: whatever the bytes are and however they are cut, only a ProtocolError, and what PROTOCOL.md says. */
export class DecoderSite implements Site {
  readonly #findings: Findings;
  readonly #count: (kind: string) => void;
  readonly #make: MakeDecoder;
  readonly isWorn = false;
  /** Used again as long as readers give everything back, which they do unless they fail. */
  #pool = new BlockPool(2);

  constructor({ findings, count }: SiteOptions, make: MakeDecoder = (sink) => new FrameDecoder(sink)) {
    this.#findings = findings;
    this.#count = count;
    this.#make = make;
  }

  async run(conversations: readonly Conversation[]): Promise<void> {
    for (const conversation of conversations) await this.#run(conversation);
  }

  /** There is nobody to serve. */
  async checkHonest(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  /** The conversation's split is the seed of all that is by chance here: it alone repeats the case. */
  async #run(conversation: Conversation): Promise<void> {
    const prng = new Prng(conversation.split);
    const payloads = conversation.steps.flatMap((step) => (step.kind === "frame" ? [step.payload] : []));
    const bytes = Buffer.concat(conversation.steps.map((step) => encodeStep(step, KNOWN)));
    this.#checkHeader(bytes, prng);
    this.#checkFrames(bytes, prng);
    for (const payload of payloads) {
      if (payload.is === "chunks") await this.#checkChunks(encodePayload(payload, KNOWN), prng);
      else if (payload.is === "records") await this.#checkRecords(encodePayload(payload, KNOWN), prng);
      else if (payload.is === "text") this.#checkJson(encodePayload(payload, KNOWN), prng);
    }
  }

  #checkHeader(bytes: Buffer, prng: Prng): void {
    if (bytes.length < 16) return;
    const at = prng.chance(0.5) ? 0 : prng.below(bytes.length - 15);
    const fault = codeOf(() => decodeHeader(bytes, at));
    this.#compare("header", [fault], [headerFault(bytes.subarray(at, at + 16), 65_536)]);
  }

  #checkFrames(bytes: Buffer, prng: Prng): void {
    const seen: string[] = [];
    const decoder = this.#make({
      onFrame: ({ opcode, flags, streamId }, payload) => seen.push(`${opcode} ${flags} ${streamId} ${hashOf(payload)}`),
      onData: (streamId, piece) => noteData(seen, streamId, piece),
    });
    decoder.maxControlBytes = prng.pick([4_096, 65_536]);
    const pieces = cut(bytes, prng);
    const push = (): string | undefined => codeOf(() => pieces.forEach((piece) => void decoder.push(piece)));
    let fault: string | undefined;
    if (prng.chance(0.1)) {
      const made = allocationsDuring(() => {
        fault = push();
      });
      const most = Math.max(256, 2 * bytes.length);
      for (const length of made) {
        if (length > most || length > decoder.maxControlBytes)
          this.#findings.add("memory", `${length} bytes for ${bytes.length}`);
      }
    } else fault = push();
    if (fault !== undefined) seen.push(fault);
    this.#count(`decoder ${fault ?? "ok"}`);
    this.#compare("frames", seen, readFrames(bytes, decoder.maxControlBytes));
  }

  async #checkChunks(bytes: Buffer, prng: Prng): Promise<void> {
    const seen: string[] = [];
    const pieces = cut(bytes, prng);
    const reader = new ChunkReader({ read: async () => pieces.shift() }, this.#pool, digest64);
    const fault = await codeOfAsync(async () => {
      for (;;) {
        const chunk = reader.take() ?? (await reader.next());
        if (chunk === undefined) return;
        const { kind, id, offset, intact, payload } = chunk;
        seen.push(`${kind} ${id} ${offset / 1_048_576} ${intact} ${hashOf(payload)}`);
        chunk.release();
      }
    });
    if (fault !== undefined) {
      seen.push(fault);
      this.#pool = new BlockPool(2);
    }
    this.#count(`chunks ${fault ?? "ok"}`);
    this.#compare("chunks", seen, readChunks(bytes));
  }

  /** However they are cut, the same records; the oracle of their shape is the next one. */
  async #checkRecords(bytes: Buffer, prng: Prng): Promise<void> {
    const schema = prng.pick<v.GenericSchema>(RECORDS);
    const read = async (pieces: readonly Uint8Array[]): Promise<string[]> => {
      const records: string[] = [];
      const body = (async function* () {
        yield* pieces;
      })();
      const fault = await codeOfAsync(async () => {
        for await (const record of decodeRecords(schema, body)) records.push(JSON.stringify(record));
      });
      // What comes before a bad record in the same piece is not told: that depends on the cuts.
      return fault === undefined ? records : [fault];
    };
    const seen = await read(cut(bytes, prng));
    this.#compare("records", seen, await read(bytes.length === 0 ? [] : [bytes]));
  }

  #checkJson(bytes: Buffer, prng: Prng): void {
    const schema = prng.pick<v.GenericSchema>(SCHEMAS);
    let parsed: unknown;
    const fault = codeOf(() => {
      parsed = decodeJson(schema, bytes, "A payload");
    });
    this.#count(`json ${fault ?? "ok"}`);
    if (fault !== undefined && fault !== "BAD_PAYLOAD") this.#findings.add("json", `${fault}: ${bytes}`);
    if (fault === undefined && (typeof parsed !== "object" || !isJson(bytes)))
      this.#findings.add("json", `taken: ${bytes}`);
    if (Object.keys(Object.prototype).length > 0 || "polluted" in {}) this.#findings.add("pollution", String(bytes));
  }

  #compare(what: string, seen: readonly (string | undefined)[], wanted: readonly (string | undefined)[]): void {
    if (seen.join("|") === wanted.join("|")) return;
    const at = seen.findIndex((entry, index) => entry !== wanted[index]);
    this.#findings.add(
      what,
      `${at}: ${seen[at]} instead of ${wanted[at]}; ${seen.length} and ${wanted.length} entries`,
    );
  }
}

/** In a few pieces, or byte by byte; each has its own buffer, as from a transport. */
function cut(bytes: Buffer, prng: Prng): Uint8Array[] {
  if (bytes.length === 0) return [];
  if (bytes.length < 2_000 && prng.chance(0.1)) return splitAt(bytes, Array.from(bytes.keys()));
  return splitAt(bytes, prng.places(8, bytes.length));
}

/** The code with which it fails; anything but an error of the protocol is told in full. */
function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return error instanceof ProtocolError ? error.code : `escaped: ${error instanceof Error ? error.stack : error}`;
  }
  return undefined;
}

async function codeOfAsync(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
  } catch (error) {
    if (error instanceof CommError && ["BAD_PAYLOAD", "DIGEST_MISMATCH"].includes(error.code)) return error.code;
    return `escaped: ${error instanceof Error ? error.stack : error}`;
  }
  return undefined;
}

function isJson(bytes: Buffer): boolean {
  try {
    return typeof JSON.parse(bytes.toString()) === "object";
  } catch {
    return false;
  }
}
