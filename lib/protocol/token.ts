import { CommError } from "../errors.ts";
import { isTokenName } from "./scram.ts";

/** What a client proves its right with: the name is told, the secret never. As text `NAME:SECRET`. */
export interface Token {
  readonly name: string;
  /** 256 random bits, base64url. */
  readonly secret: string;
}

const SECRET = /^[A-Za-z0-9_-]{43}$/;

export function formatToken({ name, secret }: Token): string {
  return `${name}:${secret}`;
}

/** @throws CommError MALFORMED, which does not show what was given: it may be a secret */
export function parseToken(text: string): Token {
  const [name = "", secret = "", ...rest] = text.trim().split(":");
  if (rest.length === 0 && isTokenName(name) && SECRET.test(secret)) return { name, secret };
  throw new CommError(
    "MALFORMED",
    "The token is not one: it looks like NAME:SECRET, with 43 characters after the colon.",
  );
}
