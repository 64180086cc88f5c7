import type { Address } from "../../lib/transport/address.ts";
import { connect, type Listening, listen } from "../../lib/transport/socket.ts";
import type { SocketTransport } from "../../lib/transport/socket-transport.ts";
import type { Credentials } from "../../lib/transport/tls.ts";
import { testIdentity } from "./identity.ts";
import { TempFolder } from "./temp-folder.ts";
import { until } from "./until.ts";

/** Two linked socket transports, neither started. */
export class SocketPair implements AsyncDisposable {
  readonly connected: SocketTransport;
  readonly accepted: SocketTransport;
  readonly address: Address;
  readonly #listening: Listening;
  readonly #folder: TempFolder | undefined;

  private constructor(
    ends: { connected: SocketTransport; accepted: SocketTransport },
    listening: Listening,
    folder: TempFolder | undefined,
  ) {
    this.connected = ends.connected;
    this.accepted = ends.accepted;
    this.address = listening.address;
    this.#listening = listening;
    this.#folder = folder;
  }

  static tcp(): Promise<SocketPair> {
    return SocketPair.#open({ kind: "tcp", host: "127.0.0.1", port: 0 });
  }

  static unix(): Promise<SocketPair> {
    const folder = new TempFolder();
    return SocketPair.#open({ kind: "unix", path: folder.join("pair.sock") }, folder);
  }

  /** Over TLS; the client takes any certificate. */
  static async tls(): Promise<SocketPair> {
    const credentials = await testIdentity();
    const pair = await SocketPair.#open({ kind: "tcp", host: "127.0.0.1", port: 0 }, undefined, credentials);
    await until(() => pair.accepted.channelBinding !== undefined);
    return pair;
  }

  static async #open(at: Address, folder?: TempFolder, credentials?: Credentials): Promise<SocketPair> {
    const accepting = Promise.withResolvers<SocketTransport>();
    const listening = listen(at, accepting.resolve, credentials);
    const trust = credentials && { verify() {} };
    const connected = await connect(listening.address, { timeoutMs: 5_000, trust });
    return new SocketPair({ connected, accepted: await accepting.promise }, listening, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connected.abort();
    this.accepted.abort();
    this.#listening.stop();
    this.#folder?.[Symbol.dispose]();
  }
}
