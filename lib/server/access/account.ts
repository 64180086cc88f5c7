import { isDeepStrictEqual } from "node:util";
import { CommError, type ErrorCode } from "../../errors.ts";
import type { Role } from "../../protocol/messages.ts";
import type { Scope } from "./scope.ts";

/** The proven identity of a peer. */
export interface Account {
  readonly role: Role;
  /** Name of its token; undefined if none was needed. */
  readonly token: string | undefined;
  /** When that token was made, in milliseconds since 1970; absent for one that is made at each start. */
  readonly tokenMadeAt?: number;
  /** What its token is limited to; absent: to nothing. */
  readonly scope?: Scope | undefined;
  /** Its session is none of the token's uses: it was admitted by a code. */
  readonly isUncounted?: true;
  /** The share that is its whole world; absent: the repository is. */
  readonly share?: string | undefined;
  /** Name of the link that it uses: it may fetch the file of this link, and nothing else. */
  readonly link?: string;
}

/** Whether both have proven the same token, with the same limits. */
export function isSameAccount(one: Account, other: Account): boolean {
  return isDeepStrictEqual(one, other);
}

/** The peer is refused; `detail` is for the log, not for the peer. */
export class AccessError extends CommError {
  readonly detail: string;

  constructor(code: ErrorCode, message: string, detail: string) {
    super(code, message);
    this.detail = detail;
  }
}
