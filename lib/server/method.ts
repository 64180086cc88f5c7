import type * as v from "valibot";
import type { Stream } from "../session/stream.ts";
import type { Rule } from "./guard.ts";
import type { Member } from "./member.ts";
import type { ServerParts } from "./parts.ts";

/** A method of the protocol: the rules for a call, which the router enforces, and the code that answers it. */
export type Method<Schema extends v.GenericSchema = v.GenericSchema> = Answering<Schema> | Streaming<Schema>;

interface Rules<Schema extends v.GenericSchema> extends Rule {
  readonly params: Schema;
  /** True when its request has a body. */
  readonly takesBody?: boolean;
}

/** A method whose answer is one object. It sees no stream, so HTTP can call it as well as the router. */
export interface Answering<Schema extends v.GenericSchema> extends Rules<Schema> {
  /** @returns the members of ACCEPT. A thrown CommError becomes a RESET with its code */
  answer(question: Question<Schema>): Promise<object>;
}

/** A method that answers with a body, or does something after its answer. */
export interface Streaming<Schema extends v.GenericSchema> extends Rules<Schema> {
  /** Answer on `call.stream`. A thrown CommError becomes a RESET with its code. */
  handle(call: Call<Schema>): Promise<void>;
}

/** What a method knows about the client that asks. */
export type Caller = Pick<Member, "name" | "names" | "role" | "address" | "startedAt" | "paths" | "account" | "token">;

/** The input of an answering method; `Parts` are the parts of the server that it uses. */
export interface Question<Schema extends v.GenericSchema, Parts extends keyof ServerParts = keyof ServerParts> {
  readonly params: v.InferOutput<Schema>;
  readonly caller: Caller;
  readonly server: Pick<ServerParts, Parts>;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/**
 * The input of a streaming method: one request under way. It lives as long as its stream: its work ends when
 * `stream.isClosed`, or `stream.signal` aborts, and what it keeps for the caller is reserved in `member.memory`. Long work
 * takes a turn of `member.transfers` or `member.lookups`.
 */
export interface Call<Schema extends v.GenericSchema, Parts extends keyof ServerParts = keyof ServerParts> {
  readonly params: v.InferOutput<Schema>;
  readonly stream: Stream;
  readonly member: Member;
  readonly server: Pick<ServerParts, Parts>;
}

/** Ties the type of the parameters to their schema. */
export function defineMethod<Schema extends v.GenericSchema, M extends Method<Schema>>(
  method: M & { readonly params: Schema },
): M {
  return method;
}
