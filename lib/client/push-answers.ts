import { toCommError } from "../errors.ts";
import { checkShape } from "../protocol/json.ts";
import type { Open } from "../protocol/messages.ts";
import { MessageParams } from "../protocol/methods.ts";
import type { Stream } from "../session/stream.ts";
import type { ClientOptions } from "./client-options.ts";

/** Answer a request of the server, such as a message for this client. */
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
    // A server that pushes faster than we read must wait, since the number of open streams is bounded.
    if (shown instanceof Promise) shown.then(accept).catch(fail);
    else accept();
  } catch (thrown) {
    fail(thrown);
  }
}
