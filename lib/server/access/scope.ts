import { CommError } from "../../errors.ts";
import { checkPath } from "../../path.ts";
import type { Role } from "../../protocol/messages.ts";

/** What a limited token is limited to. Source: PROTOCOL.md, "Limited tokens". */
export interface Scope {
  /** The folder that is its whole repository, as a path in the server's. */
  readonly folder: string;
}

/** How often a token admits. */
export interface Uses {
  readonly max: number;
  left: number;
}

/** The limits of a token, as messages and lists have them. */
export interface Limits {
  readonly folder?: string | undefined;
  readonly uses?: number | undefined;
}

interface Kept {
  readonly scope?: Scope | undefined;
  readonly uses?: Uses | undefined;
}

/** The limits of a new token, as it is kept. */
export function limitsOf({ folder, uses }: Limits): Kept {
  return {
    ...(folder !== undefined && { scope: { folder } }),
    ...(uses !== undefined && { uses: { max: uses, left: uses } }),
  };
}

/** The limits of a kept token, for people and programs. */
export function limitFacts({ scope, uses }: Kept): Limits & { readonly usesLeft?: number } {
  return { ...scope, ...(uses !== undefined && { uses: uses.max, usesLeft: uses.left }) };
}

/** @throws StorageError BAD_PATH; CommError BAD_PARAMS for an operator, who sees all of a server */
export function checkLimits({ role, scope, uses }: Kept & { readonly role: Role }): void {
  if (scope !== undefined) checkPath(scope.folder);
  if (role === "operator" && (scope !== undefined || uses !== undefined)) {
    throw new CommError("BAD_PARAMS", "A token of the role operator can't be limited.");
  }
}
