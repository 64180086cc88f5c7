import { CommError, toCommError } from "../../errors.ts";

/**
 * Something new could not be shown, because of `cause`. Nobody knows its secret, so revoke it. `what` names it.
 *
 * @throws CommError DISK_FAILED, always
 */
export async function takeBack(what: string, revoke: () => Promise<void>, cause: unknown): Promise<never> {
  const why = `${what} could not be shown: ${toCommError(cause).message}`;
  await revoke().catch(() => {
    throw new CommError("DISK_FAILED", `${why} It still exists: revoke it.`, { cause });
  });
  throw new CommError("DISK_FAILED", `${why} It was revoked.`, { cause });
}
