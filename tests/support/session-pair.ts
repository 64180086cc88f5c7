import type { Open } from "../../lib/protocol/messages.ts";
import { Link } from "../../lib/session/link.ts";
import { Session } from "../../lib/session/session.ts";
import type { SessionEnd } from "../../lib/session/session-end.ts";
import type { StreamLimits } from "../../lib/session/session-options.ts";
import type { Stream } from "../../lib/session/stream.ts";
import type { Transport } from "../../lib/session/transport.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { FakeClock, settle } from "./fake-clock.ts";
import { MemoryPeer } from "./memory-peer.ts";

export const HEARTBEAT_MS = 15_000;
const LIMITS: StreamLimits = { credit: 65_536, maxStreams: 16 };

export interface SideOptions {
  readonly side: "client" | "server";
  readonly clock: FakeClock;
  /** The limits that this side grants the other, and those that it was granted. */
  readonly local?: Partial<StreamLimits> | undefined;
  readonly remote?: Partial<StreamLimits> | undefined;
  onOpen?(stream: Stream, request: Open): void;
}

/** A session that records its events. */
export class Side {
  readonly session: Session;
  readonly opened: { stream: Stream; request: Open }[] = [];
  readonly goAways: { code: string; message: string }[] = [];
  readonly ends: SessionEnd[] = [];

  constructor(transport: Transport, options: SideOptions) {
    const { side, clock, local, remote } = options;
    const nobody = { onFrame() {}, onData() {}, onFault() {}, onClosed() {} };
    const link = new Link(transport, { clock, handler: nobody, heartbeatMs: HEARTBEAT_MS });
    this.session = new Session(link, {
      side,
      clock,
      local: { ...LIMITS, ...local },
      remote: { ...LIMITS, ...remote },
      handler: {
        onOpen: (stream, request) => {
          this.opened.push({ stream, request });
          options.onOpen?.(stream, request);
        },
        onGoAway: (reason) => this.goAways.push(reason),
        onEnd: (end) => this.ends.push(end),
      },
    });
    link.start();
  }

  /** The stream that the other side opened last. */
  get stream(): Stream {
    const { stream } = this.opened.at(-1) ?? {};
    if (stream === undefined) throw new Error("The other side has opened no stream.");
    return stream;
  }

  /** Open a stream, and let the other side receive it. */
  async open(method = "test", options: { end?: boolean } = {}): Promise<Stream> {
    const stream = this.session.open({ method, params: {} }, options);
    await settle();
    return stream;
  }
}

export interface PairOptions {
  /** What either side does with a stream that the other opened. */
  onOpen?(stream: Stream, request: Open): void;
  readonly capacity?: number;
  /** What the client grants the server. */
  readonly client?: Partial<StreamLimits>;
  /** What the server grants the client. */
  readonly server?: Partial<StreamLimits>;
}

/** Two sessions that talk to each other over memory. */
export function sessionPair(options: PairOptions = {}): { clock: FakeClock; client: Side; server: Side } {
  const clock = new FakeClock();
  const [ours, theirs] = memoryPair(undefined, options.capacity);
  const both = { clock, ...(options.onOpen && { onOpen: options.onOpen }) };
  const client = new Side(ours, { ...both, side: "client", local: options.client, remote: options.server });
  const server = new Side(theirs, { ...both, side: "server", local: options.server, remote: options.client });
  return { clock, client, server };
}

/** A session with a peer that sends whatever the test likes. */
export function sessionWithPeer(
  side: "client" | "server",
  options: Partial<SideOptions> & { capacity?: number } = {},
): Side & { peer: MemoryPeer; clock: FakeClock } {
  const clock = new FakeClock();
  const [ours, theirs] = memoryPair(undefined, options.capacity);
  const made = new Side(ours, { clock, ...options, side });
  return Object.assign(made, { peer: new MemoryPeer(theirs), clock });
}
