import type { FileBytes, Transport } from "../session/transport.ts";

/** The head of an answer leaves together with a body of up to this many bytes. */
const JOINED_BYTES = 64 * 1024;

/** The output of an HTTP connection: the writes of node:http, and the bodies that bypass it. */
export class HttpOutput {
  readonly #transport: Pick<Transport, "write" | "sendFile">;
  /** Bytes handed to the transport. */
  bytes = 0;
  /** True while the other end does not take the sent bytes. */
  isFull = false;
  /** The head of an answer, while it waits for the first bytes of the body. */
  #head: Uint8Array | undefined;
  #isHolding = false;
  #afterDrain: (() => void)[] = [];

  constructor(transport: Pick<Transport, "write" | "sendFile">) {
    this.#transport = transport;
  }

  /** The next write is the head of an answer: keep it for the first bytes after it, or sendHead(). */
  holdHead(): void {
    this.#isHolding = true;
  }

  /** Write bytes of node:http; `done` is called when more may come. */
  write(chunk: Uint8Array, done: () => void): void {
    if (this.#isHolding) {
      this.#isHolding = false;
      this.bytes += chunk.length;
      this.#head = chunk;
      return done();
    }
    const isFull = this.send(chunk);
    if (isFull === undefined) done();
    else void isFull.then(done);
  }

  /** As write(), for writes that came together; they leave in one. */
  writeAll(writes: readonly { chunk: Uint8Array }[], done: () => void): void {
    // A head among them has its body behind it.
    this.#isHolding = false;
    const chunks = writes.map(({ chunk }) => chunk);
    this.write(Buffer.concat(chunks), done);
  }

  /** Send the kept head, if any. */
  sendHead(): Promise<void> | undefined {
    const head = this.#takeHead();
    return head === undefined || this.#transport.write(head) ? undefined : this.#drained();
  }

  /** As HttpConnection.send(). */
  send(bytes: Uint8Array): Promise<void> | undefined {
    this.bytes += bytes.length;
    const isFull = bytes.length > JOINED_BYTES ? this.sendHead() : undefined;
    return isFull === undefined ? this.#sendNow(bytes) : isFull.then(() => this.#sendNow(bytes));
  }

  /** As send(), for bytes of an open file. */
  sendFile(bytes: FileBytes): Promise<void> | undefined {
    this.bytes += bytes.length;
    const head = this.#takeHead();
    if (head !== undefined) this.#transport.write(head);
    return this.#transport.sendFile(bytes) ? undefined : this.#drained();
  }

  /** The other end takes bytes again, or is gone. */
  onDrain(): void {
    this.isFull = false;
    for (const resolve of this.#afterDrain.splice(0)) resolve();
  }

  #sendNow(bytes: Uint8Array): Promise<void> | undefined {
    const head = this.#takeHead();
    const all = head === undefined ? bytes : Buffer.concat([head, bytes]);
    return this.#transport.write(all) ? undefined : this.#drained();
  }

  #takeHead(): Uint8Array | undefined {
    const head = this.#head;
    this.#head = undefined;
    this.#isHolding = false;
    return head;
  }

  #drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.isFull = true;
    this.#afterDrain.push(resolve);
    return promise;
  }
}
