import { type Header, readUint32 } from "../protocol/header.ts";
import { Flag, OPCODE_RULES, Opcode } from "../protocol/opcode.ts";

/** Replaces a secret. */
const MASK = "***";

/** Members that hold secrets at any depth where they are text: tokens, invites, resume tokens, links, one-time codes. */
const SECRET_MEMBERS: readonly string[] = ["token", "secret", "invite", "resume", "url", "code"];

const text = new TextDecoder("utf-8", { fatal: true });

/**
 * A frame in words: opcode, stream, length in bytes, END where it ends the body, the payload of a control frame. Not
 * escaped.
 */
export function frameLine(header: Header, payload: Uint8Array): string {
  const { opcode, streamId, length, flags } = header;
  const words = [OPCODE_RULES.get(opcode)?.name, `stream=${streamId}`, `length=${length}`];
  if ((flags & Flag.END) !== 0) words.push("flags=END");
  if (payload.length > 0) words.push(payloadText(opcode, payload));
  return words.join(" ");
}

function payloadText(opcode: number, payload: Uint8Array): string {
  if (opcode === Opcode.CREDIT) return String(readUint32(payload, 0));
  if (opcode === Opcode.PING || opcode === Opcode.PONG) return payload.toHex();
  try {
    return JSON.stringify(masked(opcode, JSON.parse(text.decode(payload))));
  } catch {
    return "(not JSON)"; // its bytes may hold a secret
  }
}

/** `payload` with its secrets masked: the members above, and every message of a proof. */
function masked(opcode: number, payload: unknown): unknown {
  const isProof = (holder: string, member: string) =>
    member === "message" && (opcode === Opcode.AUTH || holder === "auth");
  const walk = (value: unknown, holder: string): unknown => {
    if (Array.isArray(value)) return value.map((item) => walk(item, holder));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([member, inner]) => {
        const isSecret = SECRET_MEMBERS.includes(member) || isProof(holder, member);
        return [member, isSecret && typeof inner === "string" && inner !== "" ? MASK : walk(inner, member)];
      }),
    );
  };
  return walk(payload, "");
}
