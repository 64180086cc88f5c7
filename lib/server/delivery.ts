import { CommError } from "../errors.ts";
import type { MessageParams } from "../protocol/methods.ts";
import type { Clock } from "../session/clock.ts";
import type { Member } from "./member.ts";

/** How long a client may take to acknowledge a message. */
const DELIVERY_MS = 10_000;

/** Push a message, and wait for its acknowledgement. @throws CommError NOT_DELIVERED, or why its session ended */
export async function deliver(target: Member, params: MessageParams, clock: Clock): Promise<void> {
  if (target.session.congested) throw new CommError("NOT_DELIVERED", "It does not read what it is sent.");
  if (!target.session.canOpen) throw new CommError("NOT_DELIVERED", "It does not acknowledge what it is sent.");
  const push = target.session.open({ method: "message", params }, { end: true });
  const cancel = clock.after(DELIVERY_MS, () =>
    push.reset("CANCELLED", `It did not acknowledge within ${DELIVERY_MS / 1000} s.`),
  );
  try {
    await push.accepted;
    push.reset("CANCELLED", "No body was expected.");
    target.messagesOut++;
  } finally {
    cancel();
  }
}
