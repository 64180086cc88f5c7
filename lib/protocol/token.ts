import { CommError } from "../errors.ts";
import { isTokenName } from "./scram.ts";

/** A client's credentials: it sends the name, but never the secret. As text `NAME:SECRET`. */
export interface Token {
  readonly name: string;
  /** 256 random bits, base64url. */
  readonly secret: string;
}

const SECRET = /^[A-Za-z0-9_-]{43}$/;

export function formatToken({ name, secret }: Token): string {
  return `${name}:${secret}`;
}

/** @throws CommError MALFORMED, whose message does not quote the text: it may be a secret */
export function parseToken(text: string): Token {
  const [name = "", secret = "", ...rest] = text.trim().split(":");
  if (rest.length === 0 && isTokenName(name) && SECRET.test(secret)) return { name, secret };
  throw new CommError(
    "MALFORMED",
    "This is not a token: a token looks like NAME:SECRET, with 43 characters after the colon.",
  );
}
