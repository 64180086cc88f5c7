import type { ChunkSpec, Content, Payload } from "../conversation.ts";
import { encodePayload } from "../conversation.ts";
import type { Prng } from "../prng.ts";
import { mutateBytes, WIDE_EDGES } from "./bytes.ts";
import { mutateJson } from "./json.ts";

/** Placeholders stay: they are filled in when the frame is sent. */
const NOBODY = { name: "{{name}}", token: "{{token}}", nonce: "{{nonce}}" };

/** A payload with one change, as deep in its structure as it goes. */
export function mutatePayload(payload: Payload, prng: Prng): Payload {
  if (prng.chance(0.1)) return { is: "bytes", bytes: mutateBytes(encodePayload(payload, NOBODY), prng) };
  switch (payload.is) {
    case "records":
      return { is: "records", lines: mutateLines(payload.lines, prng) };
    case "chunks":
      return { is: "chunks", chunks: mutateChunks(payload.chunks, prng) };
    default:
      return mutateContent(payload, prng);
  }
}

function mutateContent(content: Content, prng: Prng): Content {
  switch (content.is) {
    case "text":
      return { is: "text", text: mutateJson(content.text, prng) };
    case "fill":
      return { is: "fill", length: Math.min(1_048_576, Math.max(0, content.length + prng.between(-2, 2))) };
    case "bytes":
      return { is: "bytes", bytes: mutateBytes(content.bytes, prng) };
  }
}

function mutateLines(lines: readonly string[], prng: Prng): string[] {
  const changed = [...lines];
  const at = prng.below(changed.length);
  switch (prng.below(6)) {
    case 0:
      changed.splice(at, 1);
      break;
    case 1:
      changed.splice(at, 0, ...Array.from({ length: prng.pick([1, 2, 40]) }, () => changed[at] ?? "{}"));
      break;
    default:
      changed[at] = mutateJson(changed[at] ?? "", prng);
  }
  return changed;
}

function mutateChunks(chunks: readonly ChunkSpec[], prng: Prng): ChunkSpec[] {
  const changed = [...chunks];
  const at = prng.below(changed.length);
  const chunk = changed[at];
  if (chunk === undefined) return changed;
  const other = prng.below(changed.length);
  switch (prng.below(10)) {
    case 0:
      changed.splice(at, 1);
      break;
    case 1:
      changed.splice(other, 0, ...Array.from({ length: prng.pick([1, 1, 2, 20]) }, () => chunk));
      break;
    case 2:
      changed.splice(at, 1);
      changed.splice(other, 0, chunk);
      break;
    case 3:
      changed[at] = { ...chunk, id: prng.chance(0.7) ? prng.below(10) : prng.pick(WIDE_EDGES) };
      break;
    case 4:
      changed[at] = { ...chunk, block: prng.chance(0.7) ? prng.below(4) : prng.pick(WIDE_EDGES) };
      break;
    case 5:
      changed[at] = { ...chunk, kind: prng.chance(0.8) ? prng.between(0, 6) : prng.below(256) };
      break;
    case 6:
      changed[at] = { ...chunk, lies: { ...chunk.lies, ...lie(prng) } };
      break;
    default:
      changed[at] = { ...chunk, payload: mutateContent(chunk.payload, prng) };
  }
  return changed;
}

function lie(prng: Prng): ChunkSpec["lies"] {
  switch (prng.below(3)) {
    case 0:
      return {
        length: prng.chance(0.5) ? prng.below(40) : prng.pick([65_536, 65_537, 1_048_576, 1_048_577, 0xff_ffff]),
      };
    case 1:
      return { digest: true };
    default:
      return { check: true };
  }
}
