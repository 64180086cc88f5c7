import type { PathKind } from "../path.ts";
import {
  DIGESTS_CAPABILITY,
  HOLES_CAPABILITY,
  MAILBOX_CAPABILITY,
  NAMES_CAPABILITY,
  PATCHES_CAPABILITY,
} from "../protocol/constants.ts";
import type { Role } from "../protocol/messages.ts";
import type { SessionEnd } from "../session/session-end.ts";
import type { GivenNames } from "../transfer/given-names.ts";
import type { Account } from "./access/account.ts";
import { CallCounter } from "./call-rates.ts";
import type { Counters, EndReason } from "./ledger.ts";
import type { MemberSession } from "./member-session.ts";
import type { MemoryShare } from "./memory-share.ts";
import { Tally } from "./tally.ts";
import { Turns } from "./turns.ts";

/** The most transfers of one session that move at once. */
export const MAX_SESSION_TRANSFERS = 4;

/** The most lists, digests and other long reads of the repository at once, of one session. */
export const MAX_LOOKUPS = 8;

export interface MemberOptions {
  /** Row in the ledger; operators have none. */
  readonly id: number;
  readonly name: string;
  readonly account: Account;
  readonly address: string;
  readonly startedAt: number;
  /** The resume token; undefined when the client has not asked for one. */
  readonly resumeToken?: string | undefined;
  /** The name that the client gives itself. */
  readonly nick?: string | undefined;
  /** Optional features that the peer supports. */
  readonly capabilities: readonly string[];
  /** The memory that the server may use for it. */
  readonly memory: MemoryShare;
  /** The most transfers that may move at once; absent: MAX_SESSION_TRANSFERS. */
  readonly maxTransfers?: number;
}

/** One admitted peer: a session with its name and role, and its counters. */
export class Member implements Counters {
  readonly id: number;
  readonly name: string;
  readonly account: Account;
  address: string;
  readonly startedAt: number;
  readonly resumeToken: string | undefined;
  /** The name that the client gives itself: nothing proves it. */
  readonly nick: string | undefined;
  /** True when the client has come back over another link before this one was known to be lost. */
  isSuperseded = false;
  readonly #maxTransfers: number;
  #calls: CallCounter | undefined;
  #transfers: Turns | undefined;
  #lookups: Turns | undefined;
  #running: Tally | undefined;
  /** The memory that the server may use for it, over all its links. */
  readonly memory: MemoryShare;
  /** Bytes over earlier links. */
  #bytesInBefore = 0;
  #bytesOutBefore = 0;
  #session: MemberSession;
  /** The paths that the peer knows. */
  paths: PathKind = "plain";
  /** Whether FILE may have digests, and holes: only a peer that named these capabilities knows them. */
  knowsDigests = false;
  knowsHoles = false;
  /** Whether blocks may move as patches. */
  knowsPatches = false;
  /** Whether it knows that a message may be kept. */
  knowsMailbox = false;
  /** Messages from the peer, and messages to it that it acknowledged. */
  messagesIn = 0;
  messagesOut = 0;
  /** The names that an interrupted put has given: the next put may continue it. */
  cutNames: GivenNames | undefined;
  /** The number of its open watches. */
  watches = 0;
  /** Text of its messages that others have not acknowledged yet, in UTF-16 units. */
  textUnderWay = 0;

  /** `welcome` begins the member's session, whose handler needs the member. */
  constructor(options: MemberOptions, welcome: (member: Member) => MemberSession) {
    this.id = options.id;
    this.name = options.name;
    this.account = options.account;
    this.address = options.address;
    this.startedAt = options.startedAt;
    this.resumeToken = options.resumeToken;
    this.nick = options.nick;
    this.memory = options.memory;
    this.#maxTransfers = options.maxTransfers ?? MAX_SESSION_TRANSFERS;
    this.#note(options.capabilities);
    this.#session = welcome(this);
  }

  get session(): MemberSession {
    return this.#session;
  }

  get role(): Role {
    return this.account.role;
  }

  /** Name of the proven token; undefined for a session without one. */
  get token(): string | undefined {
    return this.account.token;
  }

  /** Takes turns for transfers. Made when first needed. */
  get transfers(): Turns {
    this.#transfers ??= new Turns(this.memory, {
      max: this.#maxTransfers,
      isResumable: true,
      onStuck: () => this.#end(),
    });
    return this.#transfers;
  }

  /** Takes turns for requests that walk the repository or read whole files. Made when first needed. */
  get lookups(): Turns {
    this.#lookups ??= new Turns(this.memory, {
      max: MAX_LOOKUPS,
      isResumable: false,
      onStuck: () => this.#end(),
    });
    return this.#lookups;
  }

  /** Counts its calls. Made when first needed. */
  get calls(): CallCounter {
    this.#calls ??= new CallCounter();
    return this.#calls;
  }

  /** The requests under way, by method. Made when first needed. */
  get running(): Tally {
    this.#running ??= new Tally();
    return this.#running;
  }

  /** Its names beside the session's own, as messages and `status` have them. */
  get names(): { token?: string; nick?: string } {
    const { token, nick } = this;
    return { ...(token !== undefined && { token }), ...(nick !== undefined && { nick }) };
  }

  get bytesIn(): number {
    return this.#bytesInBefore + this.#session.bytesIn;
  }

  get bytesOut(): number {
    return this.#bytesOutBefore + this.#session.bytesOut;
  }

  /** Resume over another link, from `address`; `welcome` begins the session there. */
  moveTo(address: string, capabilities: readonly string[], welcome: (member: Member) => MemberSession): void {
    this.#bytesInBefore = this.bytesIn;
    this.#bytesOutBefore = this.bytesOut;
    this.#note(capabilities);
    this.#session = welcome(this);
    this.address = address;
    this.isSuperseded = false;
    this.#transfers?.renew();
    this.#lookups?.renew();
  }

  #note(capabilities: readonly string[]): void {
    this.paths = capabilities.includes(NAMES_CAPABILITY) ? "any" : "plain";
    this.knowsDigests = capabilities.includes(DIGESTS_CAPABILITY);
    this.knowsHoles = capabilities.includes(HOLES_CAPABILITY);
    this.knowsPatches = capabilities.includes(PATCHES_CAPABILITY);
    this.knowsMailbox = capabilities.includes(MAILBOX_CAPABILITY);
  }

  /**
   * The peer reads nothing, so not even the memory of an unwanted answer can be freed: end its link. The client may
   * come back.
   */
  #end(): void {
    this.#session.terminate("HEARTBEAT_TIMEOUT", "It does not read what it is sent, and others wait.");
  }

  get counters(): Counters {
    const { bytesIn, bytesOut, messagesIn, messagesOut } = this;
    return { bytesIn, bytesOut, messagesIn, messagesOut };
  }
}

/** The ledger's word for the end of a session. */
export function endReason(end: SessionEnd): EndReason {
  if (end.by === "lost") return "lost";
  switch (end.code) {
    case "OK":
      return "exit";
    case "KICKED":
      return "kicked";
    case "HEARTBEAT_TIMEOUT":
      return "timeout";
    case "ACCESS_DENIED":
      return "revoked";
    case "IDLE_TIMEOUT":
      return "idle";
    case "SHUTDOWN":
      return end.by === "local" ? "shutdown" : "exit";
    default:
      return "protocol error";
  }
}
