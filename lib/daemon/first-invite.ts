import type { CommServer } from "../server/server.ts";
import { systemClock } from "../session/clock.ts";

const FIRST_TOKEN = "default";

/** The first token of a server, in an invite. It is shown only once. @throws as TokenStore.add() */
export function makeFirstInvite(server: Pick<CommServer, "tokens" | "invite">): string {
  const createdAt = systemClock.wallTime();
  return server.invite(server.tokens.add({ name: FIRST_TOKEN, role: "write", createdAt, expiresAt: null }));
}

/**
 * Nobody has seen the first invite: remove its token, so that the next start makes another one.
 *
 * @returns false when it could not be removed
 */
export function takeFirstInviteBack({ tokens }: Pick<CommServer, "tokens">): boolean {
  try {
    tokens.unissue(FIRST_TOKEN);
    return true;
  } catch {
    return false;
  }
}
