import { type CommError, ERRORS, StorageError, StreamError } from "../errors.ts";
import { baseName } from "../path.ts";
import { quote } from "../quote.ts";
import type { Account } from "../server/access/account.ts";
import type { KnownLink } from "../server/access/link-store.ts";
import type { GatewayParts } from "../server/parts.ts";
import type { OpenFile } from "../storage/storage.ts";
import { answerOpenFile } from "./file-resource.ts";
import type { HttpCall } from "./http-call.ts";
import { HttpFault } from "./http-fault.ts";
import type { Target } from "./request-target.ts";

/** The first name of every address of a link: `/link/SECRET/NAME`. */
const LINK = "link";

/** The use of a link: its address permits GET and HEAD of its file, and nothing else. */
export interface LinkVisit {
  readonly account: Account;
  answer(call: HttpCall, server: GatewayParts): Promise<void>;
}

/**
 * The link that a request uses; undefined: its target is the address of something else. A link that no longer works
 * takes no seat.
 *
 * @throws AccessError NOT_FOUND, THROTTLED for an unknown link; HttpFault when it has ended, or for another method
 */
export function linkVisit(call: HttpCall, target: Target, server: GatewayParts): LinkVisit | undefined {
  const [top, secret = "", name, ...more] = target.names;
  if (top !== LINK) return undefined;
  // Even for an address that is cut off, or continues.
  call.shownTarget = [`/${LINK}/…`, ...target.names.slice(2)].join("/");
  if (name === undefined || more.length > 0) return undefined;
  const link = server.access.link(secret, call.connection.peerAddress);
  if (name !== baseName(link.path)) throw new StreamError("NOT_FOUND", `The link does not lead to ${quote(name)}.`);
  const fault = server.links.store.faultOf(link.name, server.clock.wallTime());
  if (fault !== undefined) throw gone("NOT_FOUND", fault);
  const { method = "" } = call.request;
  if (method !== "GET" && method !== "HEAD") {
    const headers = { allow: "GET, HEAD" };
    throw new HttpFault("UNKNOWN_METHOD", "A link accepts only GET and HEAD.", { status: 405, headers });
  }
  return {
    account: { role: "read", token: undefined, link: link.name },
    answer: (to, parts) => answerLink(to, link, parts),
  };
}

async function answerLink(call: HttpCall, link: KnownLink, server: GatewayParts): Promise<void> {
  const name = quote(baseName(link.path));
  const file = await openLinked(link, name, server);
  try {
    if (file.entry.etag !== link.etag) {
      throw gone("CHANGED", `${name} has changed since the link was made: it leads to no other state of the file.`);
    }
    await answerOpenFile(call, file, server);
  } finally {
    await file.close();
  }
}

/**
 * Open a link's file. The repository's messages have its path, which the link's users must not see. @throws HttpFault,
 * StreamError
 */
async function openLinked({ path }: KnownLink, name: string, { storage }: GatewayParts): Promise<OpenFile> {
  try {
    return await storage.open(path);
  } catch (thrown) {
    if (!(thrown instanceof StorageError) || ERRORS[thrown.code].scope === "local") throw thrown;
    if (thrown.code === "NOT_FOUND" || thrown.code === "NOT_A_FILE") {
      throw gone("NOT_FOUND", `${name} is not where it was when the link was made.`);
    }
    throw new StreamError(thrown.code, `${name} can't be read now.`);
  }
}

function gone(code: CommError["code"], message: string): HttpFault {
  return new HttpFault(code, message, { status: 410, advice: "Ask for another link." });
}
