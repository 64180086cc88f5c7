import * as v from "valibot";
import { CommError, StorageError, StreamError } from "../errors.ts";
import { describe } from "../protocol/json.ts";
import { mayAct, type Open } from "../protocol/messages.ts";
import { quote } from "../quote.ts";
import type { Stream } from "../session/stream.ts";
import { failureOf } from "./failure.ts";
import type { Member } from "./member.ts";
import type { Host, Method } from "./method.ts";
import { digest } from "./methods/digest.ts";
import { drain } from "./methods/drain.ts";
import { events } from "./methods/events.ts";
import { get } from "./methods/get.ts";
import { issueToken } from "./methods/issue-token.ts";
import { kick } from "./methods/kick.ts";
import { list } from "./methods/list.ts";
import { message } from "./methods/message.ts";
import { put } from "./methods/put.ts";
import { quit } from "./methods/quit.ts";
import { remove } from "./methods/remove.ts";
import { rename } from "./methods/rename.ts";
import { revokeToken } from "./methods/revoke-token.ts";
import { stat } from "./methods/stat.ts";
import { status } from "./methods/status.ts";
import { tokens } from "./methods/tokens.ts";
import { unfinished } from "./methods/unfinished.ts";
import { watch } from "./methods/watch.ts";

const METHODS: ReadonlyMap<string, Method> = new Map(
  (
    [
      status,
      list,
      stat,
      get,
      put,
      remove,
      rename,
      digest,
      watch,
      unfinished,
      message,
      kick,
      drain,
      quit,
      events,
      issueToken,
      tokens,
      revokeToken,
    ] as Method[]
  ).map((method) => [method.name, method]),
);

/** Answer the peer's request on its stream. Never throws: every failure becomes a RESET. */
export async function route(stream: Stream, request: Open, member: Member, host: Host): Promise<void> {
  // Nothing of the request is kept while the method is carried out but what is left of it when it was checked.
  const { method: name } = request;
  try {
    const method = METHODS.get(name);
    if (method === undefined) {
      throw new StreamError("UNKNOWN_METHOD", `This server has no method ${quote(name)}.`);
    }
    if (!mayAct(member.role, method.role)) {
      const who = method.role === "operator" ? "Only an operator" : `Only who has the role "${method.role}"`;
      throw new StreamError("NOT_ALLOWED", `${who} may call ${quote(name)}; this session has "${member.role}".`);
    }
    if (stream.hasPeerBody && method.takesBody !== true) {
      throw new StreamError("BAD_PARAMS", `${name} takes no body: OPEN needs the flag END.`);
    }
    if (method.role === "write" && !host.writable) {
      throw new StreamError("NOT_ALLOWED", "The repository is read-only.");
    }
    if (method.kind !== undefined) {
      const retryAfterMs = member.calls.take(method.kind, host.callRates, host.clock.now());
      const words = `${host.callRates[method.kind]} calls of ${name} a second are allowed.`;
      if (retryAfterMs > 0) return stream.refuse("TOO_OFTEN", words, { retryAfterMs });
    }
    await method.handle({ params: checkParams(method, request), stream, member, host });
  } catch (thrown) {
    // The client has left it, and that, in its own words, is what was thrown.
    if (stream.isClosed && thrown instanceof CommError && !(thrown instanceof StorageError)) return;
    const { code, message } = failureOf(thrown, name, member, host);
    stream.reset(code, message);
  }
}

function checkParams(method: Method, request: Open): unknown {
  const result = v.safeParse(method.params, request.params, { abortEarly: true });
  if (result.success) return result.output;
  throw new StreamError("BAD_PARAMS", `${request.method}: ${describe(result.issues[0])}.`);
}
