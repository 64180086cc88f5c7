import * as v from "valibot";
import { type CommError, ERRORS, StreamError, toCommError } from "../errors.ts";
import { quote } from "../path.ts";
import { describe } from "../protocol/json.ts";
import type { Open } from "../protocol/messages.ts";
import type { Stream } from "../session/stream.ts";
import { drain } from "./handlers/drain.ts";
import { events } from "./handlers/events.ts";
import { get } from "./handlers/get.ts";
import { kick } from "./handlers/kick.ts";
import { list } from "./handlers/list.ts";
import { message } from "./handlers/message.ts";
import { quit } from "./handlers/quit.ts";
import { stat } from "./handlers/stat.ts";
import { status } from "./handlers/status.ts";
import type { Member } from "./member.ts";
import type { Host, Method } from "./method.ts";

const METHODS: ReadonlyMap<string, Method> = new Map(
  ([status, list, stat, get, message, kick, drain, quit, events] as Method[]).map((method) => [method.name, method]),
);

/** Answer the peer's request on its stream. Never throws: every failure becomes a RESET. */
export async function route(stream: Stream, request: Open, member: Member, host: Host): Promise<void> {
  try {
    const method = METHODS.get(request.method);
    if (method === undefined) {
      throw new StreamError("UNKNOWN_METHOD", `This server has no method ${quote(request.method)}.`);
    }
    if (method.role === "operator" && member.role !== "operator") {
      throw new StreamError("NOT_ALLOWED", `Only an operator may call ${quote(request.method)}.`);
    }
    if (stream.hasPeerBody)
      throw new StreamError("BAD_PARAMS", `${request.method} takes no body: OPEN needs the flag END.`);
    await method.handle({ params: checkParams(method, request), stream, member, host });
  } catch (thrown) {
    const error = toCommError(thrown);
    if (ERRORS[error.code].scope === "local" || error.code === "INTERNAL") {
      report(error, request.method, member, host);
      stream.reset("INTERNAL", error.code === "INTERNAL" ? error.message : "The server failed on this request.");
    } else {
      stream.reset(error.code, error.message);
    }
  }
}

function checkParams(method: Method, request: Open): unknown {
  const result = v.safeParse(method.params, request.params, { abortEarly: true });
  if (result.success) return result.output;
  throw new StreamError("BAD_PARAMS", `${request.method}: ${describe(result.issues[0])}.`);
}

/** A failure of the server itself goes to its operator; the peer is not told what it looks like inside. */
function report(error: CommError, method: string, member: Member, host: Host): void {
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  host.events.emit({
    event: "failed",
    name: member.name,
    method,
    code: error.code,
    message: error.message + cause,
  });
}
