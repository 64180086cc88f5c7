import type { RawFrame } from "../support/frames.ts";
import type { ExpectStep, Known } from "./conversation.ts";
import { Legality } from "./legality.ts";
import { Prng } from "./prng.ts";
import type { Stage, Wire } from "./wire.ts";

export interface PeerOptions {
  readonly stage: Stage;
  readonly split: number;
  report(oracle: string, detail: string): void;
  count(kind: string): void;
}

/** One peer of a conversation: its link, what it has learned, and what it has been answered. */
export class Peer {
  readonly #options: PeerOptions;
  readonly #prng: Prng;
  readonly known: Known = { name: "Client01", token: "", nonce: "" };
  #wire: Wire | undefined;
  /** Links before this one, which must end too. */
  readonly #wires: Wire[] = [];
  #legality: Legality;
  /** Frames that were waited for; frames before them are past. */
  readonly #taken = new Set<RawFrame>();
  #unsent: Uint8Array[] = [];

  constructor(options: PeerOptions) {
    this.#options = options;
    this.#prng = new Prng(options.split);
    this.#legality = this.#listener();
  }

  get wires(): readonly Wire[] {
    return this.#wires;
  }

  get frames(): readonly RawFrame[] {
    return this.#legality.frames;
  }

  async connect(): Promise<void> {
    if (this.#wire !== undefined) return;
    const legality = this.#listener();
    this.#legality = legality;
    this.#taken.clear();
    this.#wire = await this.#options.stage.dial((bytes) => legality.push(bytes));
    this.#wires.push(this.#wire);
  }

  /** Send now, or with others later, whole or in pieces: as the conversation's split says. */
  async send(bytes: Buffer): Promise<void> {
    this.#learn();
    this.#unsent.push(bytes);
    if (this.#options.split === 0 || this.#prng.chance(0.5)) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#unsent.length === 0) return;
    const bytes = Buffer.concat(this.#unsent);
    this.#unsent = [];
    const cuts = this.#options.split === 0 ? [] : this.#prng.places(4, bytes.length);
    let from = 0;
    for (const cut of [...cuts, bytes.length]) {
      if (cut > from) this.#wire?.send(bytes.subarray(from, cut));
      from = cut;
      if (this.#options.split !== 0 && this.#prng.chance(0.2)) await this.#options.stage.turn();
    }
  }

  /** Wait for that frame. @returns false when it does not come within `turns` */
  async expect(step: ExpectStep, turns: number): Promise<boolean> {
    await this.flush();
    for (let turn = 0; ; turn++) {
      this.#learn();
      const wanted = { ...step, json: filledIn(step.json, this.known) };
      const found = this.frames.find((frame) => !this.#taken.has(frame) && fits(frame, wanted));
      if (found !== undefined) {
        this.#taken.add(found);
        return true;
      }
      if (turn >= turns || (this.#wire?.closed ?? true)) return false;
      await this.#options.stage.turn();
    }
  }

  async act(act: string): Promise<void> {
    await this.flush();
    const wire = this.#wire;
    switch (act) {
      case "half-close":
        return wire?.halfClose();
      case "close":
        return wire?.close();
      case "reset":
        return wire?.reset();
      case "pause":
        return wire?.pause();
      case "resume":
        return wire?.resume();
      case "reconnect":
        wire?.reset();
        this.#wire = undefined;
        await this.#options.stage.turn();
        return this.connect();
      default:
        for (let turn = 0; turn < 3; turn++) await this.#options.stage.turn();
    }
  }

  #listener(): Legality {
    const { stage, report, count } = this.#options;
    return new Legality(stage.speaker, (what) => report("illegal answer", what), count);
  }

  #learn(): void {
    const welcome = this.frames.find(({ name }) => name === "WELCOME")?.json;
    if (typeof welcome?.name === "string") this.known.name = welcome.name;
    const proof = this.frames.find(({ name }) => name === "AUTH")?.json?.message;
    this.known.nonce = /^r=([^,]*)/.exec(String(proof))?.[1] ?? "";
    if (typeof welcome?.resume?.token === "string") this.known.token = welcome.resume.token;
  }
}

/** Expectations have placeholders too. */
function filledIn(json: unknown, { name, token }: Known): unknown {
  if (json === undefined) return undefined;
  return JSON.parse(JSON.stringify(json).replaceAll("{{name}}", name).replaceAll("{{token}}", token));
}

function fits(frame: RawFrame, { opcode, stream, json }: ExpectStep): boolean {
  return frame.name === opcode && (stream ?? frame.stream) === frame.stream && has(frame.json, json);
}

/** Whether `actual` has all that `wanted` has. */
function has(actual: any, wanted: any): boolean {
  if (wanted === undefined || Object.is(actual, wanted)) return true;
  if (typeof wanted !== "object" || wanted === null || typeof actual !== "object" || actual === null) return false;
  return Object.keys(wanted).every((key) => has(actual[key], wanted[key]));
}
