import { toCommError } from "../../lib/errors.ts";
import { checkShape } from "../../lib/protocol/json.ts";
import { GetResult } from "../../lib/protocol/methods.ts";
import type { Stream } from "../../lib/session/stream.ts";
import type { FileSink, OpenFile } from "../../lib/storage/storage.ts";
import { receiveFile } from "../../lib/transfer/receive-file.ts";
import { sendFile } from "../../lib/transfer/send-file.ts";
import { type Side, sessionPair } from "./session-pair.ts";

export const sha256 = () => new Bun.CryptoHasher("sha256");

/** The digest that a transfer must come to. */
export function digestOf(content: Uint8Array): string {
  return sha256().update(content).digest("hex");
}

/** One stream between two sessions over memory, with a window of 64 KiB, opened as `get` opens it. */
export class TransferPair {
  readonly client: Side;
  readonly server: Side;
  readonly #receiving: Stream;
  /** What onProgress() was told. */
  readonly progress: number[] = [];

  private constructor(client: Side, server: Side, receiving: Stream) {
    this.client = client;
    this.server = server;
    this.#receiving = receiving;
  }

  static async open(): Promise<TransferPair> {
    const { client, server } = sessionPair();
    return new TransferPair(client, server, await client.open("get", { end: true }));
  }

  /** The server's end. */
  get sending(): Stream {
    return this.server.stream;
  }

  /** What the server announces before the body. */
  get announced(): Promise<Record<string, unknown>> {
    return this.#receiving.accepted;
  }

  /** sendFile() as the server's router runs it: a failure resets the stream. */
  async send(file: OpenFile): Promise<void> {
    try {
      await sendFile(this.sending, file, sha256());
    } catch (error) {
      const { code, message } = toCommError(error);
      this.sending.reset(code, message);
      throw error;
    }
  }

  /** receiveFile() with what the server announced. */
  async receive(sink: FileSink): Promise<string> {
    const metadata = checkShape(GetResult, await this.#receiving.accepted, "The answer to get");
    const onProgress = (bytes: number) => this.progress.push(bytes);
    return receiveFile(this.#receiving, { path: "docs/a", metadata, sink, sha256: sha256(), onProgress });
  }
}
