import type { IncomingMessage } from "node:http";

/** Gets the bytes of a body as they came, and not the copies that node:http's parser makes of them. */
export interface BodyReader {
  /** Whose body it reads. */
  readonly request: IncomingMessage;
  /** It wants nothing more for now. */
  readonly isFull: boolean;
  /** Take a piece of the body. A reader that needs it after the call must hold its buffer (held-buffers.ts). */
  take(piece: Uint8Array): void;
}

/** What is used of node:http's parser: at which of its numbers the function is that gets copies of bodies. */
interface Parser {
  readonly constructor: { readonly kOnBody?: number };
  [hook: number]: unknown;
}

/**
 * Call `feed`, which gives the parser of `socket` bytes of a body alone. The parser counts them, and goes on to decide by
 * itself where the body ends, but nobody gets them, so it makes no copy.
 *
 * @returns false when it is not the parser that this needs: then nothing was called
 */
export function withoutCopies(socket: object, feed: () => void): boolean {
  const parser = "parser" in socket ? (socket.parser as Parser | null) : null;
  const hook = parser?.constructor.kOnBody;
  if (!parser || hook === undefined || typeof parser[hook] !== "function") return false;
  const copy = parser[hook];
  parser[hook] = undefined;
  try {
    feed();
  } finally {
    parser[hook] = copy;
  }
  return true;
}
