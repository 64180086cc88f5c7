import { createHash } from "node:crypto";
import { toCommError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import { BoundedStorage } from "../../storage/bounded.ts";
import { CountedBudget } from "../../storage/counted-budget.ts";
import { DiscreetStorage } from "../../storage/discreet.ts";
import { DropBox } from "../../storage/drop-box.ts";
import { OrderedStorage, type PathTurns } from "../../storage/ordered.ts";
import type { Storage } from "../../storage/storage.ts";
import { storageFault } from "../../storage-faults.ts";
import { type Account, isSameAccount } from "../access/account.ts";
import type { Scope } from "../access/scope.ts";
import type { DigestCache } from "../digest-cache.ts";
import type { Member } from "../member.ts";
import type { GatewayParts, ServerParts } from "../parts.ts";
import { limitedParts } from "./limited-parts.ts";

/** So many hexadecimal digits tell apart the unfinished files of a folder. */
const TAG_DIGITS = 12;

export interface LimitedServersOptions {
  /** For streams, and for a gateway: what sessions without limits get. */
  readonly parts: ServerParts;
  readonly gateway: GatewayParts;
  readonly digests: DigestCache;
  /** As ServerOptions. */
  readonly storage: Storage;
  readonly turns?: PathTurns | undefined;
  within(folder: string): Storage;
  readonly writable: boolean;
}

/** What the sessions of one limited token get. */
interface Limited {
  readonly account: Account;
  readonly parts: ServerParts;
  readonly gateway: GatewayParts;
}

/** The server as each session may see it. */
export class LimitedServers {
  readonly #options: LimitedServersOptions;
  /** By the name of the token. */
  readonly #limited = new Map<string, Limited>();
  /** Sessions whose folder was looked for. */
  readonly #served = new WeakSet<Member>();
  /** The last warning about each token's folder. */
  readonly #warnings = new Map<string, string>();

  constructor(options: LimitedServersOptions) {
    this.#options = options;
  }

  /** The parts for the requests of a session. */
  partsFor(member: Member): ServerParts | Promise<ServerParts> {
    const { scope } = member.account;
    return scope === undefined ? this.#options.parts : this.#limitedFor(member, scope).then(({ parts }) => parts);
  }

  /** As partsFor(), for a gateway. */
  gatewayFor(member: Member): GatewayParts | Promise<GatewayParts> {
    const { scope } = member.account;
    return scope === undefined ? this.#options.gateway : this.#limitedFor(member, scope).then(({ gateway }) => gateway);
  }

  /** As TokenParts.makeFolder(). */
  async makeFolder(folder: string): Promise<void> {
    const { storage, writable } = this.#options;
    if (writable) await storage.makeFolder(folder);
    else if ((await storage.stat(folder)).kind !== "folder") throw storageFault.noFolder(folder);
  }

  /** Forget tokens for which `isGone`. */
  forget(isGone: (account: Account) => boolean): void {
    for (const [token, { account }] of this.#limited) {
      if (!isGone(account)) continue;
      this.#limited.delete(token);
      this.#warnings.delete(token);
    }
  }

  async #limitedFor(member: Member, scope: Scope): Promise<Limited> {
    const { account } = member;
    const token = account.token ?? "";
    if (!this.#served.has(member)) {
      this.#served.add(member);
      await this.#prepare(token, scope);
    }
    const known = this.#limited.get(token);
    if (known !== undefined && isSameAccount(known.account, account)) return known;
    const made = this.#limit(account, token, scope);
    this.#limited.set(token, made);
    return made;
  }

  #limit(account: Account, token: string, scope: Scope): Limited {
    const { parts, gateway, digests, turns } = this.#options;
    const { folder } = scope;
    const dropped = new Map<string, string>();
    const storage = this.#storageOf(account, scope, dropped);
    const ordered = turns === undefined ? storage : new OrderedStorage(storage, turns.within(folder));
    const limited = limitedParts(parts, { token, folder, storage: ordered, digests, dropped });
    return {
      account,
      parts: limited,
      gateway: { ...gateway, ...limited, storage, turns: gateway.turns.within(folder) },
    };
  }

  /** `dropped` gets the names of files that were stored under others. */
  #storageOf({ token, tokenMadeAt }: Account, scope: Scope, dropped: Map<string, string>): Storage {
    const { folder, quotaBytes, drop } = scope;
    const { parts, within } = this.#options;
    const inFolder = new DiscreetStorage(within(folder));
    const limits = { quotaBytes, keepFreeBytes: 0 };
    const budget = new CountedBudget(inFolder, limits, () => parts.clock.now());
    const bounded = quotaBytes === undefined ? inFolder : new BoundedStorage(inFolder, budget);
    if (drop !== true) return bounded;
    return new DropBox(new DiscreetStorage(bounded), {
      digest: (text) =>
        createHash("sha256").update(`${token} ${tokenMadeAt} ${text}`).digest("hex").slice(0, TAG_DIGITS),
      onKept: (asked, real) => void (asked !== real && dropped.set(asked, real)),
    });
  }

  /** If its folder can't be made, its requests say so, and the operator learns why. */
  async #prepare(token: string, { folder }: Scope): Promise<void> {
    try {
      await this.makeFolder(folder);
      this.#warnings.delete(token);
    } catch (thrown) {
      const message = `The folder ${quote(folder)} of the token ${quote(token)} is not there: ${toCommError(thrown).message}`;
      if (this.#warnings.get(token) === message) return;
      this.#warnings.set(token, message);
      this.#options.parts.events.emit({ event: "warning", message });
    }
  }
}
