import { escapeText } from "./escape.ts";

/** The names of a session. */
export interface SessionNames {
  /** The server's name for it: `Client07`. */
  readonly name: string;
  /** The name of its proven token. */
  readonly token?: string | undefined;
  /** The name that it gives itself. */
  readonly nick?: string | undefined;
}

/** Tokens that say nothing of a person: that of this machine's own user, and the one of a server's first invite. */
const SHARED = ["local", "default"];

/**
 * A session for people: `bob (Client07)` for a proven token, `~bob (Client07)` for a name that a client gave itself:
 * the mark keeps the two apart. Escaped.
 */
export function shownName({ name, token, nick }: SessionNames): string {
  const names = [
    ...(token === undefined || SHARED.includes(token) ? [] : [token]),
    ...(nick === undefined ? [] : [`~${nick}`]),
  ];
  return escapeText(names.length === 0 ? name : `${names.join(" ")} (${name})`);
}
