import { ERRORS } from "../../lib/errors.ts";
import type { OpcodeName, RawFrame } from "../support/frames.ts";
import { headerFault, nameOf } from "./reference.ts";

/** What a side may not send at all. */
const FOREIGN: Record<"server" | "client", ReadonlySet<OpcodeName>> = {
  server: new Set(["HELLO"]),
  client: new Set(["WELCOME", "REFUSE", "QUEUED"]),
};
const WIRES = new Map<number, string>(Object.entries(ERRORS).map(([code, { wire }]) => [wire, code]));
/** The codes that end a session, and an ordinary end. */
const OF_SESSION = new Set<unknown>([
  0,
  ...Object.values(ERRORS).flatMap(({ scope, wire }) => (scope === "session" ? [wire] : [])),
]);
/** What a side says of itself, and must have no reason to. */
const INTERNAL = ERRORS.INTERNAL.wire;
/** Payloads of DATA are not kept beyond this. */
const KEPT_BYTES = 256;

/** What one side has said on a stream. */
interface Said {
  accepted: boolean;
  /** It sends nothing more, because of END or a flag. */
  ended: boolean;
  reset: boolean;
}

/** Reads what one side under test sends over one link, and reports whatever PROTOCOL.md does not allow. */
export class Legality {
  readonly frames: RawFrame[] = [];
  /** Answers by kind, with the code of those that have one. */
  readonly #count: (kind: string) => void;
  readonly #speaker: "server" | "client";
  readonly #report: (what: string) => void;
  readonly #streams = new Map<number, Said>();
  #rest: Buffer = Buffer.alloc(0);
  #lastOpened = 0;
  #isAdmitted = false;
  #hasRefused = false;
  #hasLeft = false;
  #broken = false;

  constructor(speaker: "server" | "client", report: (what: string) => void, count: (kind: string) => void) {
    this.#speaker = speaker;
    this.#report = (what) => report(`the ${speaker} ${what}`);
    this.#count = count;
  }

  push(bytes: Uint8Array): void {
    if (this.#broken) return;
    this.#rest = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    while (this.#rest.length - at >= 16) {
      const header = this.#rest.subarray(at, at + 16);
      const fault = headerFault(header, 65_536);
      if (fault !== undefined) {
        this.#broken = true;
        return this.#report(`sends a header that is ${fault}: ${header.toString("hex")}`);
      }
      const length = header.readUInt32BE(8);
      if (this.#rest.length - at < 16 + length) break;
      this.#take(header, this.#rest.subarray(at + 16, at + 16 + length));
      at += 16 + length;
    }
    this.#rest = this.#rest.subarray(at);
  }

  #take(header: Buffer, payload: Buffer): void {
    const name = nameOf(header[1] as number) as OpcodeName;
    const [flags, stream] = [header.readUInt16BE(2), header.readUInt32BE(4)];
    const isBinary = name === "DATA" || name === "PING" || name === "PONG" || name === "CREDIT";
    const json = isBinary || payload.length === 0 ? undefined : this.#parse(name, payload);
    // The beginning of DATA is enough, and would else hold what came with it.
    const kept = name === "DATA" ? Buffer.from(payload.subarray(0, KEPT_BYTES)) : payload;
    const frame: RawFrame = { name, flags, stream, payload: kept, json };
    this.frames.push(frame);
    this.#count(json?.code === undefined ? name : `${name} ${WIRES.get(json.code) ?? json.code}`);
    if (FOREIGN[this.#speaker].has(name)) return this.#report(`sends ${name}`);
    if (this.#hasRefused) this.#report(`sends ${name} after REFUSE`);
    if (stream === 0) this.#takeOfSession(frame);
    else this.#takeOfStream(frame);
  }

  #parse(name: OpcodeName, payload: Buffer): any {
    try {
      const json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
      if (typeof json === "object" && json !== null && !Array.isArray(json)) return json;
    } catch {
      // reported below
    }
    this.#report(`sends ${name} with what is no JSON object: ${payload.toString("latin1").slice(0, 200)}`);
    return undefined;
  }

  #takeOfSession({ name, json }: RawFrame): void {
    switch (name) {
      case "WELCOME":
        if (this.#isAdmitted) this.#report("sends a second WELCOME");
        this.#isAdmitted = true;
        return;
      case "QUEUED":
        if (this.#isAdmitted) this.#report("sends QUEUED after WELCOME");
        return;
      case "HELLO":
        if (this.frames.length > 1) this.#report("sends a second HELLO");
        return;
      case "REFUSE":
        if (this.#isAdmitted) this.#report("sends REFUSE after WELCOME");
        this.#hasRefused = true;
        return this.#checkReason(name, json);
      case "GOAWAY":
        if (this.#hasLeft) this.#report("sends a second GOAWAY");
        this.#hasLeft = true;
        return this.#checkReason(name, json);
      default:
    }
  }

  #checkReason(name: string, json: any): void {
    const isKnown = json?.code === 0 || WIRES.has(json?.code);
    if (!isKnown || typeof json.message !== "string") this.#report(`sends ${name} ${JSON.stringify(json)}`);
    else if (json.message.length > 1_024) this.#report(`sends ${name} with ${json.message.length} characters`);
    else if (name !== "RESET" && !OF_SESSION.has(json.code)) this.#report(`ends with ${name} ${JSON.stringify(json)}`);
    else if (json.code === INTERNAL) this.#report(`fails by itself: ${name} ${JSON.stringify(json)}`);
  }

  #takeOfStream({ name, flags, stream, json }: RawFrame): void {
    if (this.#speaker === "server" && !this.#isAdmitted) this.#report(`sends ${name} before WELCOME`);
    const isOwn = (stream % 2 === 1) === (this.#speaker === "client");
    const said = this.#streams.get(stream) ?? { accepted: isOwn, ended: false, reset: false };
    if (said.reset) this.#report(`sends ${name} on stream ${stream} after its RESET`);
    switch (name) {
      case "OPEN":
        if (!isOwn || stream <= this.#lastOpened) this.#report(`opens stream ${stream} after ${this.#lastOpened}`);
        if (this.#hasLeft) this.#report("sends OPEN after GOAWAY");
        this.#lastOpened = stream;
        said.ended = flags === 1;
        break;
      case "ACCEPT":
        if (said.accepted) this.#report(`sends ACCEPT unasked, or twice, on stream ${stream}`);
        said.accepted = true;
        said.ended = flags === 1;
        break;
      case "DATA":
      case "END":
        if (!said.accepted) this.#report(`sends ${name} before ACCEPT on stream ${stream}`);
        if (said.ended) this.#report(`sends ${name} after its end on stream ${stream}`);
        said.ended ||= name === "END";
        break;
      case "RESET":
        this.#checkReason(name, json);
        said.reset = true;
        break;
      default:
    }
    if (isOwn && stream > this.#lastOpened) this.#report(`sends ${name} on stream ${stream}, which it has not opened`);
    this.#streams.set(stream, said);
  }
}
