import * as v from "valibot";
import { CommError, StorageError, StreamError } from "../errors.ts";
import { describe } from "../protocol/json.ts";
import type { Open } from "../protocol/messages.ts";
import { quote } from "../quote.ts";
import type { Stream } from "../session/stream.ts";
import { failureOf } from "./failure.ts";
import { checkRole, checkWritable, countCall, type Permissions } from "./guard.ts";
import type { Member } from "./member.ts";
import type { Method } from "./method.ts";
import { awaitShare } from "./methods/await-share.ts";
import { clearMailbox } from "./methods/clear-mailbox.ts";
import { collect } from "./methods/collect.ts";
import { digest } from "./methods/digest.ts";
import { drain } from "./methods/drain.ts";
import { endShare } from "./methods/end-share.ts";
import { events } from "./methods/events.ts";
import { get } from "./methods/get.ts";
import { issueCode } from "./methods/issue-code.ts";
import { issueLink } from "./methods/issue-link.ts";
import { issueToken } from "./methods/issue-token.ts";
import { kick } from "./methods/kick.ts";
import { links } from "./methods/links.ts";
import { list } from "./methods/list.ts";
import { mailboxes } from "./methods/mailboxes.ts";
import { message } from "./methods/message.ts";
import { offerShare } from "./methods/offer-share.ts";
import { openShare } from "./methods/open-share.ts";
import { put } from "./methods/put.ts";
import { quit } from "./methods/quit.ts";
import { remove } from "./methods/remove.ts";
import { rename } from "./methods/rename.ts";
import { revokeLink } from "./methods/revoke-link.ts";
import { revokeToken } from "./methods/revoke-token.ts";
import { stat } from "./methods/stat.ts";
import { status } from "./methods/status.ts";
import { tokens } from "./methods/tokens.ts";
import { unfinished } from "./methods/unfinished.ts";
import { watch } from "./methods/watch.ts";
import type { ServerParts } from "./parts.ts";
import { checkShareRights } from "./shares/shares.ts";

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
      collect,
      kick,
      drain,
      quit,
      events,
      issueToken,
      issueCode,
      tokens,
      revokeToken,
      issueLink,
      links,
      revokeLink,
      mailboxes,
      clearMailbox,
      openShare,
      offerShare,
      awaitShare,
      endShare,
    ] as Method[]
  ).map((method) => [method.name, method]),
);

/** The checks of every call, and the parts of the server that the methods use. */
export interface Routing extends Permissions, Pick<ServerParts, "clock" | "failures" | "shares"> {
  /** The parts for the requests of that session. */
  partsFor(member: Member): ServerParts | Promise<ServerParts>;
}

/** Answer the peer's request on its stream. Never throws: every failure becomes a RESET. */
export async function route(stream: Stream, request: Open, member: Member, routing: Routing): Promise<void> {
  const { clock, failures, shares } = routing;
  // While the method runs, only the checked parameters of the request are kept.
  const { method: name } = request;
  try {
    // "A server MUST check a request in this order, and answer with the first fault" (PROTOCOL.md, "From client to
    // server")
    const method = METHODS.get(name);
    if (method === undefined) {
      throw new StreamError("UNKNOWN_METHOD", `This server has no method ${quote(name)}.`);
    }
    checkRole(method, member);
    if (stream.hasPeerBody && method.takesBody !== true) {
      throw new StreamError("BAD_PARAMS", `${name} takes no body: OPEN needs the flag END.`);
    }
    const share = shares?.of(member);
    if (share === undefined) checkWritable(method, routing);
    else checkShareRights(method, share);
    const tooOften = countCall(method, member, routing, clock.now());
    if (tooOften !== undefined) {
      return stream.refuse("TOO_OFTEN", tooOften.message, { retryAfterMs: tooOften.retryAfterMs });
    }
    await call(method, checkParams(method, request), stream, member, share?.parts ?? routing.partsFor(member));
  } catch (thrown) {
    // The client has closed the stream, and the error says only that.
    if (stream.isClosed && thrown instanceof CommError && !(thrown instanceof StorageError)) return;
    const { code, message } = failureOf(thrown, { name: member.name, method: name }, failures);
    stream.reset(code, message);
  }
}

/** A separate function, which keeps the parameters alive, and not the request. */
async function call(
  method: Method,
  params: unknown,
  stream: Stream,
  member: Member,
  parts: ServerParts | Promise<ServerParts>,
): Promise<void> {
  // Awaited, not just returned: an error thrown at once would have no handler for a moment, and count as unhandled.
  const { running } = member;
  running.add(method.name);
  try {
    const server = parts instanceof Promise ? await parts : parts;
    if ("handle" in method) return await method.handle({ params, stream, member, server });
    const answer = await method.answer({
      params,
      caller: member,
      server,
      get signal() {
        return stream.signal;
      },
    });
    stream.accept({ ...answer }, { end: true });
  } finally {
    running.remove(method.name);
  }
}

function checkParams(method: Method, request: Open): unknown {
  const result = v.safeParse(method.params, request.params, { abortEarly: true });
  if (result.success) return result.output;
  throw new StreamError("BAD_PARAMS", `${request.method}: ${describe(result.issues[0])}.`);
}
