import { type CommError, ERRORS, toCommError } from "../errors.ts";
import { failureOf } from "../server/failure.ts";
import type { GatewayParts } from "../server/parts.ts";
import { type Failed, replyFailed } from "./error-answer.ts";
import type { HttpCall } from "./http-call.ts";
import { HttpFault } from "./http-fault.ts";
import { withoutSecrets } from "./shown-target.ts";
import { TooOftenError } from "./too-often.ts";

/** Answer a failed request with an error message. `method`: the protocol's method whose rules apply. */
export function answerFailed(
  call: HttpCall,
  thrown: unknown,
  method: string,
  { failures }: Pick<GatewayParts, "failures">,
): void {
  if (thrown instanceof TooOftenError) return replyFailed(call, thrown);
  const { guest } = call;
  const told =
    guest === undefined
      ? strangersWords(toCommError(thrown))
      : failureOf(thrown, { name: guest.member.name, method }, failures);
  const words = { ...told, message: withoutSecrets(told.message) };
  if (thrown instanceof HttpFault)
    replyFailed(call, { ...words, status: thrown.status, advice: thrown.advice }, thrown.headers);
  else replyFailed(call, words);
}

/** The message for a peer that has not proven its identity. */
function strangersWords(error: CommError): Failed {
  const { code, message } = error;
  if (ERRORS[code].scope !== "local") return { code, message };
  return { code: "INTERNAL", message: "The server failed on this request." };
}
