import { readAnswers } from "../support/http-answers.ts";
import { type Conversation, encodeStep, type Step } from "./conversation.ts";
import type { PlayOptions } from "./player.ts";
import { Prng } from "./prng.ts";
import type { Stage, Wire } from "./wire.ts";

export interface HttpPlayOptions extends PlayOptions {
  /** What stands for `{{token}}`: NAME:SECRET in base64. */
  readonly token: string;
}

/** Play a conversation in HTTP to its end; the links are left as they are then. @returns all links that it made */
export async function playHttp(conversation: Conversation, options: HttpPlayOptions): Promise<Wire[]> {
  const { stage, isHonest, report, token } = options;
  const { split, steps } = conversation;
  const known = { name: "", token, nonce: "" };
  const asksHead = steps.some((step) => /HEAD/.test(encodeStep(step, known).toString("latin1")));
  const peers = new Map<number, HttpPeer>();
  const peerOf = (number: number): HttpPeer => {
    const peer = peers.get(number) ?? new HttpPeer(options, split === 0 ? 0 : split + number, asksHead);
    peers.set(number, peer);
    return peer;
  };
  const perform = async (step: Step): Promise<void> => {
    const peer = peerOf(step.peer);
    await peer.connect();
    if (step.kind === "act") return peer.act(step.act);
    if (step.kind !== "answer") return peer.send(encodeStep(step, known));
    const { honest, mutated } = stage.patience;
    if ((await peer.expect(step.status, isHonest ? honest : mutated)) || !isHonest) return;
    report("expectation", `${step.status} does not come, but ${JSON.stringify(peer.text.slice(0, 500))}`);
  };
  for (const step of steps) await perform(step);
  for (const peer of peers.values()) await peer.flush();
  for (let turn = 0; turn < stage.patience.mutated; turn++) await stage.turn();
  for (const peer of peers.values()) peer.check();
  return [...peers.values()].flatMap((peer) => peer.wires);
}

/** One peer of a conversation: its link, and what it has been answered. */
class HttpPeer {
  readonly #options: HttpPlayOptions;
  readonly #split: number;
  readonly #asksHead: boolean;
  readonly #prng: Prng;
  readonly wires: Wire[] = [];
  /** Answers that were waited for. */
  #taken = 0;
  #unsent: Uint8Array[] = [];
  /** What came was no HTTP: no answer can be found in it any more. */
  #isBroken = false;
  text = "";

  constructor(options: HttpPlayOptions, split: number, asksHead: boolean) {
    this.#options = options;
    this.#split = split;
    this.#asksHead = asksHead;
    this.#prng = new Prng(split);
  }

  get #stage(): Stage {
    return this.#options.stage;
  }

  get #wire(): Wire | undefined {
    return this.wires.at(-1);
  }

  async connect(): Promise<void> {
    if (this.#wire === undefined) await this.#dial();
  }

  /** Send now, or with others later, whole or in pieces: as the conversation's split says. */
  async send(bytes: Buffer): Promise<void> {
    this.#unsent.push(bytes);
    if (this.#split === 0 || this.#prng.chance(0.5)) await this.flush();
  }

  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#unsent);
    this.#unsent = [];
    let from = 0;
    for (const cut of [...(this.#split === 0 ? [] : this.#prng.places(4, bytes.length)), bytes.length]) {
      if (cut > from) this.#wire?.send(bytes.subarray(from, cut));
      from = cut;
      if (this.#split !== 0 && this.#prng.chance(0.2)) await this.#stage.turn();
    }
  }

  /** Wait for an answer with that status. @returns false when it does not come within `turns` */
  async expect(status: number, turns: number): Promise<boolean> {
    await this.flush();
    for (let turn = 0; ; turn++) {
      const answers = this.#answers();
      const at = answers.indexOf(status, this.#taken);
      if (at !== -1) {
        this.#taken = at + 1;
        return true;
      }
      if (turn >= turns || this.#isBroken || (this.#wire?.closed ?? true)) return false;
      await this.#stage.turn();
    }
  }

  async act(act: string): Promise<void> {
    await this.flush();
    const wire = this.#wire;
    if (act === "half-close") return wire?.halfClose();
    if (act === "close") return wire?.close();
    if (act === "reset") return wire?.reset();
    if (act === "pause") return wire?.pause();
    if (act === "resume") return wire?.resume();
    if (act !== "reconnect") for (let turn = 0; turn < 3; turn++) await this.#stage.turn();
    else {
      wire?.reset();
      await this.#stage.turn();
      this.check();
      await this.#dial();
    }
  }

  /** Whatever was said: what came back is HTTP as far as it goes. */
  check(): void {
    for (const status of this.#answers()) this.#options.count(`HTTP ${status}`);
    if (this.text === "") this.#options.count("HTTP without a word");
    if (/nobody may touch it/.test(this.text)) this.#options.report("outside", "the file outside was read");
  }

  async #dial(): Promise<void> {
    this.text = "";
    this.#taken = 0;
    this.#isBroken = false;
    const wire = await this.#stage.dial((bytes) => {
      if (wire === this.#wire) this.text += Buffer.from(bytes).toString("latin1");
    });
    this.wires.push(wire);
  }

  #answers(): number[] {
    if (this.#isBroken) return [];
    try {
      return readAnswers(this.text, this.#asksHead).answers.map(({ status }) => status);
    } catch (error) {
      this.#isBroken = true;
      this.#options.report("illegal answer", String(error));
      return [];
    }
  }
}
