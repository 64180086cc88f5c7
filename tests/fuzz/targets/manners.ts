import { frame, parseFrames, type RawFrame } from "../../support/frames.ts";
import { BLOCK, chunk, record } from "../../support/raw-chunks.ts";
import { welcomeText } from "../admit.ts";
import type { Wire } from "../wire.ts";

/** What a server does for ever, when it has said what its conversation has. PINGs are answered in all of them. */
export interface Manner {
  /** Once in each round, over each link that is open. */
  goOn(link: EndlessLink): Uint8Array[];
  /** What is asked in vain in it, by right: it has no end of its own, or gets on. */
  readonly mayLast: readonly string[];
  /** Milliseconds of the clients' clock, of a round and in all. */
  readonly roundMs: number;
  readonly mostMs: number;
  /** Of a request without an answer; the clients' `silenceMs`. */
  readonly silenceMs: number;
}

const SILENCE_MS = 30_000;
const HOUR_MS = 3_600_000;
const ENTRIES_A_FRAME = 200;
/** Clients read records more slowly than they are sent here. */
const FRAMES_A_ROUND = 5;

const usual = { mayLast: ["watch"], roundMs: 5_000, mostMs: 5 * SILENCE_MS, silenceMs: SILENCE_MS };

export const MANNERS = {
  silent: { ...usual, goOn: () => [] },
  working: {
    ...usual,
    roundMs: HOUR_MS / 2,
    mostMs: 28 * HOUR_MS,
    silenceMs: HOUR_MS,
    goOn: (link) => link.opened(() => true).map((id) => frame("WORKING", undefined, id)),
  },
  entries: {
    ...usual,
    mayLast: ["watch", "list"],
    goOn: (link) => link.filled("list", (index) => record({ path: `f${index}`, kind: "file", size: 1, modifiedAt: 0 })),
  },
  changes: {
    ...usual,
    goOn: (link) => link.filled("watch", (index) => record({ change: "removed", path: `f${index}` })),
  },
  blocks: {
    ...usual,
    goOn: (link) =>
      link
        .opened((method) => method === "get")
        .flatMap((id) => [...link.granted(id, () => BLOCK_ZERO, BLOCK_ZERO.length)]),
  },
  pushes: {
    ...usual,
    goOn: (link) =>
      Array.from({ length: 20 }, () => {
        const params = { from: "Client02", to: "all", text: "x".repeat(1_000) };
        return frame("OPEN", { method: "message", params }, link.nextPush(), 1);
      }),
  },
  queue: { ...usual, goOn: (link) => (link.isAdmitted ? [] : [frame("QUEUED", { position: 5 })]) },
  /** Each link is cut when something is asked for: see ClientStage. */
  cuts: { ...usual, goOn: () => [] },
} satisfies Record<string, Manner>;

export type MannerName = keyof typeof MANNERS;
export const MANNER_NAMES = Object.keys(MANNERS) as MannerName[];

/** Of the second file of a `get`, again and again. */
const BLOCK_ZERO = chunk("BLOCK", 1, Buffer.alloc(BLOCK), 0);
/** Of a credit it is not known what the conversation has used: so much is left to it. */
const USED_BYTES = BLOCK / 2;

/** One link of a server that goes on for ever: it knows what the client has asked for over it. */
export class EndlessLink {
  readonly #wire: Wire;
  readonly #streams = new Map<number, { method: string; left: number; index: number }>();
  #rest: Buffer = Buffer.alloc(0);
  #credit = 0;
  #push = 1_000_000;
  #isBroken = false;
  readonly #unanswered: Uint8Array[] = [];
  #isOn = false;
  sent = 0;
  isAdmitted = false;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** What the client says. */
  take(bytes: Uint8Array): void {
    if (this.#isBroken) return;
    try {
      const { frames, rest } = parseFrames(Buffer.concat([this.#rest, bytes]));
      this.#rest = rest;
      for (const one of frames) this.#note(one);
    } catch {
      this.#isBroken = true; // which is told by who reads it besides
    }
  }

  /** One more round. */
  goOn(manner: Manner): void {
    if (!this.#isOn) for (const nonce of this.#unanswered) this.#say(frame("PONG", nonce));
    this.#isOn = true;
    for (const bytes of manner.goOn(this)) this.#say(bytes);
  }

  /** Streams that the client has open, of those methods. */
  opened(fits: (method: string) => boolean): number[] {
    return [...this.#streams].flatMap(([id, { method }]) => (fits(method) ? [id] : []));
  }

  /** Some records to all streams of a method, as far as the client grants. */
  filled(method: string, recordOf: (index: number) => Uint8Array): Uint8Array[] {
    const piece = (index: number) =>
      Buffer.concat(Array.from({ length: ENTRIES_A_FRAME }, (_, at) => recordOf(index * ENTRIES_A_FRAME + at)));
    const most = ENTRIES_A_FRAME * 80;
    return this.opened((one) => one === method).flatMap((id) => [
      ...this.granted(id, piece, most).take(FRAMES_A_ROUND),
    ]);
  }

  /** Pieces of a stream's body, each of at most `most` bytes, as far as the client grants. */
  *granted(id: number, pieceOf: (index: number) => Uint8Array, most: number): Generator<Uint8Array> {
    const stream = this.#streams.get(id);
    while (stream !== undefined && stream.left >= most) {
      const piece = pieceOf(stream.index++);
      stream.left -= piece.length;
      for (let at = 0; at < piece.length; at += BLOCK) yield frame("DATA", piece.subarray(at, at + BLOCK), id);
    }
  }

  nextPush(): number {
    this.#push += 2;
    return this.#push;
  }

  #say(bytes: Uint8Array): void {
    this.sent += bytes.length;
    if (!this.#wire.closed) this.#wire.send(bytes);
  }

  #note({ name, stream, payload, json }: RawFrame): void {
    if (name === "PING" && this.#isOn) this.#say(frame("PONG", payload));
    else if (name === "PING") this.#unanswered.push(payload);
    else if (name === "HELLO") this.#credit = json?.credit ?? 0;
    else if (name === "OPEN") {
      this.isAdmitted = true;
      this.#streams.set(stream, { method: json?.method, left: this.#credit - USED_BYTES, index: 0 });
    } else if (name === "RESET") this.#streams.delete(stream);
    else if (name === "CREDIT") {
      const granted = this.#streams.get(stream);
      if (granted !== undefined) granted.left += payload.readUInt32BE(0);
    }
  }
}

/** Answer a client that has come back: it is let in, and cut off when it asks for something. */
export function cutting(wire: () => Wire): (bytes: Uint8Array) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    const parsed = parseFrames(Buffer.concat([rest, bytes]));
    rest = parsed.rest;
    for (const { name } of parsed.frames) {
      if (name === "HELLO") wire().send(frame("WELCOME", JSON.parse(welcomeText({ resume: RESUME }))));
      if (name === "OPEN") wire().reset();
    }
  };
}

const RESUME = { token: "again", graceMs: 30_000 };
