import type * as v from "valibot";
import { CommError } from "../errors.ts";
import {
  ClearMailboxResult,
  EventRecord,
  type IssueCodeParams,
  IssueCodeResult,
  type IssueLinkParams,
  IssueLinkResult,
  type IssueTokenParams,
  IssueTokenResult,
  LinkRecord,
  MailRecord,
  Nothing,
  TokenRecord,
  UnfinishedRecord,
} from "../protocol/methods.ts";
import { decodeRecords } from "../protocol/records.ts";
import type { Client } from "./client.ts";

/** The additional calls of a client with the role operator. Every call throws CommError as Client's do. */
export class Operator {
  readonly client: Client;

  constructor(client: Client) {
    this.client = client;
  }

  async kick(name: string, reason?: string): Promise<void> {
    await this.client.call("kick", reason === undefined ? { name } : { name, reason }, Nothing);
  }

  async drain(on: boolean): Promise<void> {
    await this.client.call("drain", { on }, Nothing);
  }

  async quit(): Promise<void> {
    await this.client.call("quit", {}, Nothing);
  }

  /** Unfinished files of transfers to the server, interrupted or running. */
  async *unfinished(): AsyncGenerator<UnfinishedRecord, void> {
    yield* this.#records("unfinished", UnfinishedRecord);
  }

  /**
   * Make a token. Only this answer has its secret.
   *
   * @throws CommError UNKNOWN_METHOD, and makes none, on a server that knows no such limits; as Client's calls
   */
  async issueToken(params: v.InferInput<typeof IssueTokenParams>): Promise<IssueTokenResult> {
    const made = await this.client.call("issueToken", params, IssueTokenResult);
    const { folder, quotaBytes, drop = false, uses } = params;
    const isAsAsked = made.folder === folder && made.quotaBytes === quotaBytes && made.uses === uses;
    if (isAsAsked && (made.drop ?? false) === drop) return made;
    // An earlier server ignores what it does not know, and has made a token without limits.
    await this.revokeToken(params.name);
    throw new CommError("UNKNOWN_METHOD", "The running server is too old to limit a token: restart it first.");
  }

  /** Make a one-time code, which gives its client the token. Only this answer has the code. */
  issueCode(params: v.InferInput<typeof IssueCodeParams>): Promise<IssueCodeResult> {
    return this.client.call("issueCode", params, IssueCodeResult);
  }

  async revokeToken(name: string): Promise<void> {
    await this.client.call("revokeToken", { name }, Nothing);
  }

  async *tokens(): AsyncGenerator<TokenRecord, void> {
    yield* this.#records("tokens", TokenRecord);
  }

  /** Make a link to one file in its present state. Only this answer has its address. */
  issueLink(params: v.InferInput<typeof IssueLinkParams>): Promise<IssueLinkResult> {
    return this.client.call("issueLink", params, IssueLinkResult);
  }

  async revokeLink(name: string): Promise<void> {
    await this.client.call("revokeLink", { name }, Nothing);
  }

  /** The links that have not ended. */
  async *links(): AsyncGenerator<LinkRecord, void> {
    yield* this.#records("links", LinkRecord);
  }

  /** What is kept for names that are not here. */
  async *mailboxes(): AsyncGenerator<MailRecord, void> {
    yield* this.#records("mailboxes", MailRecord);
  }

  /** Remove the messages that are kept for a name. @returns how many there were */
  async clearMailbox(name: string): Promise<number> {
    return (await this.client.call("clearMailbox", { name }, ClearMailboxResult)).messages;
  }

  /** The server's events from now on, until it stops. */
  async *events(): AsyncGenerator<EventRecord, void> {
    yield* this.#records("events", EventRecord, true);
  }

  async *#records<S extends v.GenericSchema>(
    method: string,
    schema: S,
    isFeed = false,
  ): AsyncGenerator<v.InferOutput<S>, void> {
    const stream = this.client.openStream(method, {}, { isFeed });
    await stream.accepted;
    yield* decodeRecords(schema, stream.body());
  }
}
