import { CommError, toCommError } from "../../errors.ts";

/**
 * What was made could not be shown, because of `cause`: nobody knows its secret, so it is of no use. `what` names it.
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
