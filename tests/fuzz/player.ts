import { type Conversation, encodeStep, type Step } from "./conversation.ts";
import { Peer, type PeerOptions } from "./peer.ts";
import type { Stage, Wire } from "./wire.ts";

export interface PlayOptions extends Pick<PeerOptions, "report" | "count"> {
  readonly stage: Stage;
  /** Whether what is expected must come. */
  readonly isHonest: boolean;
}

/** Play a conversation to its end; the links are left as they are then. @returns all links that it made */
export async function play(conversation: Conversation, options: PlayOptions): Promise<Wire[]> {
  const { stage, isHonest, report, count } = options;
  const peers = new Map<number, Peer>();
  const peerOf = (number: number): Peer => {
    const { split } = conversation;
    const peer = peers.get(number) ?? new Peer({ stage, split: split === 0 ? 0 : split + number, report, count });
    // What WELCOME gave to peer 1 is known to all: that is how another link takes over.
    if (number > 1 && peer.known.token === "") Object.assign(peer.known, peers.get(1)?.known);
    peers.set(number, peer);
    return peer;
  };
  const perform = async (step: Step): Promise<void> => {
    const peer = peerOf(step.peer);
    await peer.connect();
    switch (step.kind) {
      case "frame":
      case "raw":
        return peer.send(encodeStep(step, peer.known));
      case "expect": {
        const { honest, mutated } = stage.patience;
        if ((await peer.expect(step, isHonest ? honest : mutated)) || !isHonest) return;
        const got = peer.frames.map(({ name, stream, json }) => `${name} ${stream} ${JSON.stringify(json ?? "")}`);
        return report("expectation", `${JSON.stringify(step)} does not come, but ${got.join("; ")}`);
      }
      case "act":
        return peer.act(step.act);
      case "http":
      case "answer":
        throw new Error("HTTP is another player's");
      case "call":
        await peer.flush();
        return stage.call?.(step.call);
    }
  };
  for (const step of conversation.steps) await perform(step);
  for (const peer of peers.values()) await peer.flush();
  for (let turn = 0; turn < stage.patience.mutated; turn++) await stage.turn();
  return [...peers.values()].flatMap((peer) => [...peer.wires]);
}
