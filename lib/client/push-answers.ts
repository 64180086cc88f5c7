import { toCommError } from "../errors.ts";
import { checkShape } from "../protocol/json.ts";
import type { Open } from "../protocol/messages.ts";
import { MessageParams } from "../protocol/methods.ts";
import type { Stream } from "../session/stream.ts";
import type { ClientOptions } from "./client-options.ts";

/** Answer what the server asks of its client: to take a message. */
export function answerPush(stream: Stream, request: Open, onMessage: ClientOptions["onMessage"]): void {
  if (request.method !== "message" || onMessage === undefined) {
    stream.reset("UNKNOWN_METHOD", `This client has no method ${request.method}.`);
    return;
  }
  const fail = (thrown: unknown) => stream.reset("BAD_PARAMS", toCommError(thrown).message);
  const accept = () => {
    if (!stream.isClosed) stream.accept({}, { end: true });
  };
  try {
    const shown = onMessage(checkShape(MessageParams, request.params, "A message"));
    // Who pushes faster than it is read waits: what is open at once is bounded.
    if (shown instanceof Promise) shown.then(accept).catch(fail);
    else accept();
  } catch (thrown) {
    fail(thrown);
  }
}
