import { CommError } from "../../errors.ts";
import { checkPath } from "../../path.ts";
import type { Role } from "../../protocol/messages.ts";

/** What a limited token is limited to. Source: PROTOCOL.md, "Limited tokens". */
export interface Scope {
  /** The folder that is its whole repository, as a path in the server's. */
  readonly folder: string;
  /** The most that the folder may hold, in bytes; absent: as much as the server allows. */
  readonly quotaBytes?: number | undefined;
  /** Present: its sessions only put files, and see nothing. */
  readonly drop?: true | undefined;
}

/** How often a token admits. */
export interface Uses {
  readonly max: number;
  left: number;
}

/** The limits of a token, as messages and lists have them. */
export interface Limits {
  readonly folder?: string | undefined;
  readonly quotaBytes?: number | undefined;
  readonly drop?: boolean | undefined;
  readonly uses?: number | undefined;
}

interface Kept {
  readonly scope?: Scope | undefined;
  readonly uses?: Uses | undefined;
}

/** The limits of a new token, as it is kept. @throws CommError BAD_PARAMS for limits that need a folder */
export function limitsOf({ folder, quotaBytes, drop, uses }: Limits): Kept {
  if (folder === undefined && (quotaBytes !== undefined || drop === true)) {
    throw new CommError("BAD_PARAMS", "A quota and a drop box need a folder.");
  }
  const more = { ...(quotaBytes !== undefined && { quotaBytes }), ...(drop === true && { drop }) };
  return {
    ...(folder !== undefined && { scope: { folder, ...more } }),
    ...(uses !== undefined && { uses: { max: uses, left: uses } }),
  };
}

/** The limits of a kept token, for people and programs. */
export function limitFacts({ scope, uses }: Kept): Limits & { readonly usesLeft?: number } {
  return { ...scope, ...(uses !== undefined && { uses: uses.max, usesLeft: uses.left }) };
}

/** @throws StorageError BAD_PATH; CommError BAD_PARAMS for limits that do not fit the role */
export function checkLimits({ role, scope, uses }: Kept & { readonly role: Role }): void {
  if (scope !== undefined) checkPath(scope.folder);
  if (role === "operator" && (scope !== undefined || uses !== undefined)) {
    throw new CommError("BAD_PARAMS", "A token of the role operator can't be limited.");
  }
  if (role !== "write" && (scope?.drop === true || scope?.quotaBytes !== undefined)) {
    throw new CommError("BAD_PARAMS", "A quota and a drop box are for tokens of the role write.");
  }
}
