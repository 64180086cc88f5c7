import type { Socket, TCPSocketListener } from "bun";

/** `up` is from the client to the server, `down` the other way. */
export type Direction = "up" | "down";

export interface Tap {
  /**
   * The bytes to pass on in place of `bytes`, at once or later; the calls of one direction are in order, one at a time.
   */
  pass(direction: Direction, bytes: Buffer, link: ProxiedLink): Uint8Array | Promise<Uint8Array>;
}

/** One connection through the proxy. */
export class ProxiedLink {
  readonly #up: Pipe;
  readonly #down: Pipe;
  #isCut = false;

  constructor(tap: Tap) {
    this.#up = new Pipe((bytes) => tap.pass("up", bytes, this));
    this.#down = new Pipe((bytes) => tap.pass("down", bytes, this));
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  pipe(direction: Direction): Pipe {
    return direction === "up" ? this.#up : this.#down;
  }

  /** End the link both ways: "reset" at once, "end" after the passed bytes have left. */
  cut(how: "reset" | "end" = "reset"): void {
    if (this.#isCut) return;
    this.#isCut = true;
    for (const pipe of [this.#up, this.#down]) pipe.close(how);
  }

  /** Let nothing more through, and tell nobody: like an unplugged cable. */
  freeze(): void {
    this.#isCut = true;
    for (const pipe of [this.#up, this.#down]) pipe.freeze();
  }
}

/** One direction: bytes from one socket go through the tap into the other. */
class Pipe {
  readonly #tap: (bytes: Buffer) => Uint8Array | Promise<Uint8Array>;
  #target: Socket<unknown> | undefined;
  #unsent: Buffer = Buffer.alloc(0);
  #turn: Promise<void> = Promise.resolve();
  #state: "open" | "ending" | "closed" = "open";

  constructor(tap: (bytes: Buffer) => Uint8Array | Promise<Uint8Array>) {
    this.#tap = tap;
  }

  attach(target: Socket<unknown>): void {
    this.#target = target;
    if (this.#state === "closed") target.terminate();
    this.flush();
  }

  take(bytes: Buffer): void {
    const copy = Buffer.from(bytes);
    this.#turn = this.#turn.then(async () => {
      if (this.#state !== "open") return;
      this.write(await this.#tap(copy));
    });
  }

  /** Write to the target, past the tap. */
  write(bytes: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#unsent = Buffer.concat([this.#unsent, bytes]);
    this.flush();
  }

  flush(): void {
    if (this.#target === undefined || this.#state === "closed") return;
    if (this.#unsent.length > 0) {
      const taken = this.#target.write(this.#unsent);
      if (taken > 0) this.#unsent = this.#unsent.subarray(taken);
    }
    if (this.#unsent.length === 0 && this.#state === "ending") this.#finish();
  }

  /** The source has ended. */
  end(): void {
    void this.#turn.then(() => this.close("end"));
  }

  close(how: "reset" | "end"): void {
    if (this.#state === "closed") return;
    if (how === "reset") {
      this.#state = "closed";
      this.#target?.terminate();
    } else {
      this.#state = "ending";
      this.flush();
    }
  }

  freeze(): void {
    this.#state = "closed";
  }

  dispose(): void {
    this.#state = "closed";
    this.#target?.terminate();
  }

  #finish(): void {
    this.#state = "closed";
    this.#target?.end();
  }
}

/** A proxy between a client and a server on this machine, which shows a tap every byte. */
export class LinkProxy implements Disposable {
  readonly #listener: TCPSocketListener<ProxiedLink>;
  readonly #serverPort: number;
  /** All links so far, in order. */
  readonly links: ProxiedLink[] = [];

  /** `makeTap` is called for each connection. */
  constructor(serverPort: number, makeTap: (index: number) => Tap) {
    this.#serverPort = serverPort;
    this.#listener = Bun.listen<ProxiedLink>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          const link = new ProxiedLink(makeTap(this.links.length));
          this.links.push(link);
          socket.data = link;
          link.pipe("down").attach(socket as Socket<unknown>);
          void this.#reach(link);
        },
        data: (socket, bytes) => socket.data.pipe("up").take(bytes),
        drain: (socket) => socket.data.pipe("down").flush(),
        close: (socket) => socket.data.pipe("up").end(),
        error: () => {},
      },
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
    for (const link of this.links) {
      for (const direction of ["up", "down"] as const) link.pipe(direction).dispose();
    }
  }

  async #reach(link: ProxiedLink): Promise<void> {
    const socket = await Bun.connect<undefined>({
      hostname: "127.0.0.1",
      port: this.#serverPort,
      socket: {
        data: (_, bytes) => link.pipe("down").take(bytes),
        drain: () => link.pipe("up").flush(),
        close: () => link.pipe("down").end(),
        error: () => {},
      },
    });
    link.pipe("up").attach(socket as Socket<unknown>);
  }
}

/** Passes everything on. */
export const openTap: Tap = { pass: (_, bytes) => bytes };
