import type { Role } from "../../lib/protocol/messages.ts";
import type { FrameStep, Step } from "./conversation.ts";

/**
 * How a peer comes in, in one place: when HELLO, WELCOME or what stands between them changes, this changes, and no
 * conversation of the corpus.
 */

/** The role that the server under test gives to who comes by the fuzzer's links. */
export const ROLE: Role = "write";

/** The HELLO that "default" stands for, with members of it replaced. */
export function helloText(members: object = {}): string {
  return JSON.stringify({
    versions: { min: 1, max: 1 },
    agent: "fuzz/1.0",
    capabilities: [],
    wait: false,
    credit: 1_048_576,
    maxStreams: 16,
    ...members,
  });
}

/** The WELCOME that "default" stands for. */
export function welcomeText(members: object = {}): string {
  return JSON.stringify({
    version: 1,
    name: "Client01",
    role: ROLE,
    agent: "fuzz-server/1.0",
    capabilities: [],
    credit: 1_048_576,
    maxStreams: 128,
    ...members,
  });
}

/** What `admit` stands for in a conversation: all that a client says until it is in. */
export function admit(peer: number, members: object = {}): Step[] {
  const hello: FrameStep = {
    kind: "frame",
    peer,
    opcode: "HELLO",
    stream: 0,
    flags: 0,
    payload: { is: "text", text: helloText(members) },
  };
  return [hello, { kind: "expect", peer, opcode: "WELCOME", stream: 0 }];
}

/** What `welcome` stands for: all that a server says until a client is in. */
export function welcome(peer: number, members: object = {}): Step[] {
  const text = welcomeText(members);
  return [
    { kind: "expect", peer, opcode: "HELLO", stream: 0 },
    { kind: "frame", peer, opcode: "WELCOME", stream: 0, flags: 0, payload: { is: "text", text } },
  ];
}
