import { CommError, type ErrorCode } from "../../errors.ts";
import type { Role } from "../../protocol/messages.ts";

/** The proven identity of a peer. */
export interface Account {
  readonly role: Role;
  /** Name of its token; undefined if none was needed. */
  readonly token: string | undefined;
  /** When that token was made, in milliseconds since 1970; absent for one that is made at each start. */
  readonly tokenMadeAt?: number;
  /** Name of the link that it uses: it may fetch the file of this link, and nothing else. */
  readonly link?: string;
}

/** The peer is refused; `detail` is for the log, not for the peer. */
export class AccessError extends CommError {
  readonly detail: string;

  constructor(code: ErrorCode, message: string, detail: string) {
    super(code, message);
    this.detail = detail;
  }
}
