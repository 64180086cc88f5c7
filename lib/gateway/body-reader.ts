import type { IncomingMessage } from "node:http";

/** Gets the bytes of a body as they arrived, and not the copies that node:http's parser makes. */
export interface BodyReader {
  /** The request whose body it reads. */
  readonly request: IncomingMessage;
  /** True while it wants nothing more. */
  readonly isFull: boolean;
  /** Take a piece of the body. A reader that needs it after the call must hold its buffer (held-buffers.ts). */
  take(piece: Uint8Array): void;
}

/** The part of node:http's parser that is used: the index of the callback that gets copies of bodies. */
interface Parser {
  readonly constructor: { readonly kOnBody?: number };
  [hook: number]: unknown;
}

/**
 * Call `feed`, which gives the parser of `socket` only bytes of a body. The parser counts them, and still decides where
 * the body ends, but nobody gets them, so it makes no copy.
 *
 * @returns false, without calling it, when the parser is not the expected one
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
