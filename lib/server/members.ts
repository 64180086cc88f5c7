import { CommError } from "../errors.ts";
import { quote } from "../quote.ts";
import type { Member } from "./member.ts";

/** The live sessions: clients by name, and operators. */
export class Members {
  readonly #clients = new Map<string, Member>();
  readonly #operators = new Set<Member>();

  add(member: Member): void {
    if (member.role === "operator") this.#operators.add(member);
    else this.#clients.set(member.name.toLowerCase(), member);
  }

  remove(member: Member): void {
    if (member.role === "operator") this.#operators.delete(member);
    else this.#clients.delete(member.name.toLowerCase());
  }

  /** All clients, in the order of admission. */
  get clients(): Member[] {
    return [...this.#clients.values()];
  }

  get operators(): Member[] {
    return [...this.#operators];
  }

  /** The live client that can come back with this resume token. */
  byResumeToken(token: string): Member | undefined {
    for (const member of this.#clients.values()) if (member.resumeToken === token) return member;
    return undefined;
  }

  /** As find(). @throws CommError NO_SUCH_CLIENT */
  client(name: string): Member {
    const member = this.find(name);
    if (member === undefined) throw new CommError("NO_SUCH_CLIENT", `No client ${quote(name)} is connected.`);
    return member;
  }

  /** The live client of that name, in any letter case. */
  find(name: string): Member | undefined {
    return this.#clients.get(name.toLowerCase());
  }
}
