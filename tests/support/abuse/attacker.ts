/**
 * The attacks, each in a process of its own, so that its work does not disturb the measurements. Arguments: which, the
 * port, "tls" or "plain", how many, a token. Prints "under way" when it is in force, and "over" when it has done
 * everything; lasts until its input ends.
 */
import { frame, HELLO } from "../frames.ts";
import { record } from "../raw-chunks.ts";
import { AttackerPeer, type Target, tally } from "./attacker-peer.ts";
import { hoards } from "./hoards.ts";

export interface Attack {
  readonly target: Target;
  readonly count: number;
  /** `NAME:SECRET` that may write. */
  readonly token: string;
  readonly isStopped: () => boolean;
  readonly stopped: Promise<void>;
  underWay(): void;
}

const PIECE = 64 * 1024;
const NONCE = Buffer.alloc(8);

const hello = frame("HELLO", HELLO);

/** Run `count` actions, `width` at once, each with its index. */
async function inParallel(count: number, width: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** Send the frames of `make` for ever, from a session. */
async function flood(
  { target, count, isStopped, underWay }: Attack,
  make: (index: number) => Uint8Array,
  first?: Uint8Array,
) {
  const peers = await Promise.all(Array.from({ length: count }, () => AttackerPeer.admitted(target)));
  underWay();
  await Promise.all(
    peers.map(async (peer) => {
      if (first !== undefined) await peer.write(first);
      for (let index = 0; !isStopped() && !peer.isClosed; ) {
        const parts: Uint8Array[] = [];
        for (let bytes = 0; bytes < PIECE; bytes += parts.at(-1)?.length ?? 0) parts.push(make(index++));
        await peer.write(Buffer.concat(parts));
        await Bun.sleep(0);
      }
    }),
  );
}

/** Send `bytes` one at a time over these connections. */
async function drip({ isStopped, underWay }: Attack, peers: AttackerPeer[], bytes: Uint8Array): Promise<void> {
  underWay();
  for (let at = 0; !isStopped(); at = (at + 1) % bytes.length) {
    for (const peer of peers) if (!peer.isClosed) await peer.write(bytes.subarray(at, at + 1));
    await Bun.sleep(5);
  }
}

/** Connections from several addresses, since one may not have that many. */
async function connections({ target, count }: Attack): Promise<AttackerPeer[]> {
  const peers: AttackerPeer[] = [];
  await inParallel(count, 50, async (index) => {
    const peer = await AttackerPeer.connect(target, 2 + Math.floor(index / 200));
    if (peer !== undefined) peers.push(peer);
  });
  return peers;
}

const odd = (index: number) => 2 * index + 1;
const open = (index: number, method: string, params: object = {}) => frame("OPEN", { method, params }, odd(index), 1);
const request = record({ id: 0, path: "no such file" });

const attacks: Record<string, (attack: Attack) => Promise<void>> = {
  async connects({ target, count, underWay }) {
    underWay();
    await inParallel(count, 50, async () => (await AttackerPeer.connect(target))?.abort());
  },
  async burst({ target, count, underWay }) {
    underWay();
    const peers = await Promise.all(Array.from({ length: count }, () => AttackerPeer.connect(target)));
    await Promise.all(peers.map((peer) => peer?.write(hello)));
    await Promise.all(peers.map((peer) => peer?.heard()));
    for (const peer of peers) peer?.abort();
  },
  async silent(attack) {
    await connections(attack);
    attack.underWay();
    await stopped;
  },
  /** Over TLS: connections that never begin the handshake. */
  async "silent-tcp"(attack) {
    await connections({ ...attack, target: { ...attack.target, tls: false } });
    attack.underWay();
    await stopped;
  },
  async "drip-hello"(attack) {
    await drip(attack, await connections(attack), hello.subarray(0, -1));
  },
  async "drip-frames"(attack) {
    const peers = await Promise.all(Array.from({ length: attack.count }, () => AttackerPeer.admitted(attack.target)));
    await drip(attack, peers, frame("PING", NONCE));
  },
  async "deaf-downloads"({ target, count, underWay }) {
    for (let index = 0; index < count; index++) {
      const peer = await AttackerPeer.admitted(target, { credit: 2 ** 31 - 1 });
      peer.pause();
      for (let stream = 0; stream < 8; stream++) {
        const id = odd(stream);
        await peer.write(frame("OPEN", { method: "get", params: {} }, id));
        await peer.write(frame("DATA", record({ id: 0, path: "large.bin" }), id));
      }
    }
    underWay();
    await stopped;
  },
  opens: (attack) => flood(attack, (index) => open(index, "no such method")),
  "opens-and-cancels": (attack) =>
    flood(attack, (index) =>
      Buffer.concat([
        frame("OPEN", { method: "get", params: {} }, odd(index)),
        frame("RESET", { code: 38, message: "" }, odd(index)),
      ]),
    ),
  pings: (attack) => flood(attack, () => frame("PING", NONCE)),
  messages: (attack) => flood(attack, (index) => open(index, "message", { text: "flood" })),
  "tiny-frames": (attack) =>
    flood(
      attack,
      (index) => frame("DATA", request.subarray(index % request.length, (index % request.length) + 1), 1),
      frame("OPEN", { method: "get", params: {} }, 1),
    ),
  credits: (attack) =>
    flood(
      attack,
      () => frame("CREDIT", Buffer.from([0, 0, 0, 1]), 1),
      frame("OPEN", { method: "watch", params: {} }, 1, 1),
    ),
  ...hoards,
  resets: (attack) => flood(attack, () => frame("RESET", { code: 38, message: "" }, 1), open(0, "no such method")),
};

const [kind = "", port, security, count, token = ""] = process.argv.slice(2);
let isStopped = false;
const stopped = (async () => {
  for await (const _ of Bun.stdin.stream());
  isStopped = true;
})();

await attacks[kind]?.({
  target: { port: Number(port), tls: security === "tls" },
  count: Number(count),
  token,
  stopped,
  isStopped: () => isStopped,
  underWay: () => console.log("under way"),
});
console.log(`over ${JSON.stringify(tally)}`);
await stopped;
process.exit(0);
