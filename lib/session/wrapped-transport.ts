import type { FileBytes, PeerAddress, Transport, TransportHandler } from "./transport.ts";

/** A transport around another one: what a subclass does not say otherwise is the inner one's. */
export class WrappedTransport implements Transport {
  protected readonly inner: Transport;

  constructor(inner: Transport) {
    this.inner = inner;
  }

  get peer(): string {
    return this.inner.peer;
  }

  get peerAddress(): PeerAddress {
    return this.inner.peerAddress;
  }

  get channelBinding(): Uint8Array | undefined {
    return this.inner.channelBinding;
  }

  get canSendFiles(): boolean {
    return this.inner.canSendFiles;
  }

  start(handler: TransportHandler): void {
    this.inner.start(handler);
  }

  write(bytes: Uint8Array): boolean {
    return this.inner.write(bytes);
  }

  sendFile(bytes: FileBytes): boolean {
    return this.inner.sendFile(bytes);
  }

  pause(isBrief?: boolean): void {
    this.inner.pause(isBrief);
  }

  resume(): void {
    this.inner.resume();
  }

  close(lingerMs?: number): void {
    this.inner.close(lingerMs);
  }

  abort(): void {
    this.inner.abort();
  }
}
