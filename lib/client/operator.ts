import { EventRecord, Nothing, UnfinishedRecord } from "../protocol/methods.ts";
import { decodeRecords } from "../protocol/records.ts";
import type { Client } from "./client.ts";

/** What a client with the operator's role may do besides. Every call throws CommError as Client's do. */
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

  /** What is left of transfers to the server that did not end, or are under way. */
  async *unfinished(): AsyncGenerator<UnfinishedRecord, void> {
    const stream = this.client.openStream("unfinished", {});
    await stream.accepted;
    yield* decodeRecords(UnfinishedRecord, stream.body());
  }

  /** What happens at the server from now on, until it stops. */
  async *events(): AsyncGenerator<EventRecord, void> {
    const stream = this.client.openStream("events", {});
    await stream.accepted;
    yield* decodeRecords(EventRecord, stream.body());
  }
}
