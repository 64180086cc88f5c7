import { StreamError } from "../errors.ts";
import { mayAct, type Role } from "../protocol/messages.ts";
import { quote } from "../quote.ts";
import type { CallKind, CallRates } from "./call-rates.ts";
import type { Member } from "./member.ts";

/** The access rule of one kind of request: the role, and the rate. */
export interface Rule {
  readonly name: string;
  /** The least role that may call it. */
  readonly role: Role;
  /** True: a session that only drops files may call it, too. */
  readonly forDrop?: boolean;
  /** The rate that it counts for; absent: it may be called any number of times. */
  readonly kind?: CallKind;
  /** It changes nothing in the repository, although it has the role "write". */
  readonly leavesRepository?: boolean;
}

/** What a server permits its members. */
export interface Permissions {
  /** Whether the repository may be changed. */
  readonly writable: boolean;
  readonly callRates: CallRates;
}

/** When the same request may be tried again. */
export interface TooOften {
  readonly message: string;
  readonly retryAfterMs: number;
}

// Every request passes all of these checks, over either protocol: streams in router.ts, HTTP in lib/gateway.

/** @throws StreamError NOT_ALLOWED for a role that is too low, and for changes to a read-only repository */
export function checkRights(rule: Rule, member: Member, permissions: Permissions): void {
  checkRole(rule, member);
  checkWritable(rule, permissions);
}

/** @throws StreamError NOT_ALLOWED for a role that is too low, and for what a session that only drops files may not do */
export function checkRole({ name, role, forDrop = false }: Rule, member: Member): void {
  if (mayAct(member.role, role)) {
    if (forDrop || member.account.scope?.drop !== true) return;
    throw new StreamError("NOT_ALLOWED", `This token only drops files: it may not call ${quote(name)}.`);
  }
  const who = role === "operator" ? "Only an operator" : `Only a session of the role "${role}"`;
  throw new StreamError("NOT_ALLOWED", `${who} may call ${quote(name)}; this session has "${member.role}".`);
}

/** @throws StreamError NOT_ALLOWED for changes to a read-only repository */
export function checkWritable({ role, leavesRepository }: Rule, { writable }: Pick<Permissions, "writable">): void {
  if (role === "write" && !writable && leavesRepository !== true)
    throw new StreamError("NOT_ALLOWED", "The repository is read-only.");
}

/** Count a call. `now` on the monotonic clock. @returns why it comes too early; undefined if it does not */
export function countCall(
  { name, kind }: Rule,
  member: Member,
  { callRates }: Permissions,
  now: number,
): TooOften | undefined {
  if (kind === undefined) return undefined;
  const retryAfterMs = member.calls.take(kind, callRates, now);
  if (retryAfterMs === 0) return undefined;
  return { message: `${callRates[kind]} calls of ${name} a second are allowed.`, retryAfterMs };
}
