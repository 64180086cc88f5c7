import { frame } from "../frames.ts";
import { BLOCK, chunk, record } from "../raw-chunks.ts";
import type { Attack } from "./attacker.ts";
import { Hoarder } from "./hoarder.ts";

/** Sessions that use as much of a server's memory as they can. */

const STREAMS = 128;
/** 8192 characters that take six bytes each in the answer. */
const LONG_TEXT = "\u0001".repeat(8_192);
const block = Buffer.alloc(BLOCK, 7);
const odd = (index: number) => 2 * index + 1;

/** `count` sessions, from several addresses. */
async function sessions({ target, count, token }: Attack, hello: object = {}): Promise<Hoarder[]> {
  const peers: Hoarder[] = [];
  for (let index = 0; index < count; index += 20) {
    const batch = Array.from({ length: Math.min(20, count - index) }, (_, at) =>
      Hoarder.admitted(target, token, hello, 2 + Math.floor((index + at) / 100)),
    );
    peers.push(...(await Promise.all(batch)));
  }
  return peers;
}

const asking = record({ id: 0, path: "large.bin" });
const once = (bytes: Uint8Array) => {
  let isOver = false;
  return () => {
    if (isOver) return undefined;
    isOver = true;
    return bytes;
  };
};

function offering(index: number): Buffer {
  const facts = { exists: "fail", size: 20 * BLOCK, modifiedAt: 1, executable: false, etag: "1" };
  return chunk("FILE", 0, { path: `never/${index}`, ...facts });
}

/** Headers of blocks for the first file numbers. Their payload is shared by all sessions. */
const headers = Array.from({ length: 17 }, (_, id) => Buffer.from(chunk("BLOCK", id, block).subarray(0, 24)));

/** A `put` that leaves everything unfinished: small files without their end, large ones after their first blocks. */
function unfinished(session: number, index: number): () => Uint8Array | undefined {
  let step = 0;
  return () => {
    const id = Math.floor(step / 3);
    const part = step++ % 3;
    const facts = { exists: "fail", modifiedAt: 1, executable: false, etag: "1" };
    const size = id < 16 ? BLOCK : 20 * BLOCK;
    if (id > 16) return undefined;
    if (part === 0) return chunk("FILE", id, { path: `unfinished/${session}-${index}-${id}`, size, ...facts });
    if (part === 1) return headers[id];
    // The last one never ends.
    return id < 16 ? block : block.subarray(1);
  };
}

/** A record that never ends, and so becomes too long. */
const neverEnding = () => {
  let left = 60_000;
  return () => {
    if (left === 0) return undefined;
    left -= 6_000;
    return Buffer.alloc(6_000, 0x20);
  };
};
/** Bytes after a first request, as many as are allowed. */
const pile = Buffer.alloc(65_536, 0x20);
const piling = () => pile;

export const hoards: Record<string, (attack: Attack) => Promise<void>> = {
  /** Connect, request much, and vanish. */
  async "dead-gets"(attack) {
    await dead(attack, (peer, index) => peer.open(odd(index), "get", {}, once(asking)));
  },
  async "dead-puts"(attack) {
    await dead(attack, (peer, index) => peer.open(odd(index), "put", {}, once(offering(index))));
  },
  /** Gets whose answers are never read. */
  async "no-credit"(attack) {
    for (const peer of await sessions(attack, { credit: 0 })) {
      for (let index = 0; index < STREAMS; index++) peer.open(odd(index), "get", {}, once(asking));
    }
    await lasting(attack);
  },
  /** Silent bodies, on every stream. */
  async "waiting-bodies"(attack) {
    for (const peer of await sessions(attack, { credit: 0 })) {
      for (let index = 0; index < 4; index++) peer.open(odd(index), "get", {}, neverEnding());
      for (let index = 4; index < STREAMS; index++) peer.open(odd(index), index % 2 ? "get" : "put", {}, piling);
    }
    await lasting(attack);
  },
  async "unfinished-puts"(attack) {
    for (const [session, peer] of (await sessions(attack)).entries()) {
      for (let index = 0; index < STREAMS; index++) peer.open(odd(index), "put", {}, unfinished(session, index));
    }
    await lasting(attack);
  },
  /** Long answers that nobody reads. */
  async "unread-answers"(attack) {
    const peers = await sessions(attack, { credit: 0 });
    for (const peer of peers) peer.pause();
    attack.underWay();
    for (let round = 0; !attack.isStopped(); round++) {
      for (const peer of peers) {
        if (peer.unsent > 0) continue;
        for (let index = 0; index < 100; index++) peer.open(odd(100 * round + index), "message", { text: LONG_TEXT });
      }
      await Bun.sleep(100);
    }
  },
  /** Messages that are read and never acknowledged. */
  async "unacknowledged-pushes"(attack) {
    const [writer, ...peers] = await sessions(attack, { maxStreams: 2 ** 31 - 1 });
    attack.underWay();
    for (let round = 0; !attack.isStopped(); round++) {
      for (const [index, { name }] of peers.entries()) {
        writer?.open(odd(round * peers.length + index), "message", { text: LONG_TEXT, to: name });
      }
      await Bun.sleep(Math.max(5, peers.length));
    }
  },
  /** All of these from each session. */
  async worst(attack) {
    const peers = await sessions(attack, { credit: 0, maxStreams: 2 ** 31 - 1 });
    for (const [session, peer] of peers.entries()) {
      for (let index = 0; index < 4; index++) peer.open(odd(index), "put", {}, unfinished(session, index));
      for (let index = 4; index < 100; index++) peer.open(odd(index), index % 2 ? "get" : "put", {}, piling);
    }
    // Until everything that is allowed has been sent.
    await Bun.sleep(2_000);
    for (const peer of peers) peer.pause();
    attack.underWay();
    for (let round = 0; !attack.isStopped(); round++) {
      for (const peer of peers) {
        if (peer.unsent > 0) continue;
        for (let index = 0; index < 28; index++) {
          const id = odd(100 + 28 * round + index);
          peer.open(id, "message", {
            text: LONG_TEXT,
            to: index % 2 ? "server" : (peers[round % peers.length]?.name ?? ""),
          });
        }
      }
      await Bun.sleep(200);
    }
  },
};

async function lasting({ underWay, stopped }: Attack): Promise<void> {
  underWay();
  await stopped;
}

/** In rounds of ten sessions each. */
async function dead(attack: Attack, ask: (peer: Hoarder, index: number) => void): Promise<void> {
  attack.underWay();
  for (let round = 0; round < Math.ceil(attack.count / 10); round++) {
    const peers = await sessions({ ...attack, count: Math.min(10, attack.count) }, { credit: 0 });
    for (const peer of peers) {
      for (let index = 0; index < STREAMS; index++) ask(peer, index);
      peer.send(frame("PING", Buffer.alloc(8)));
    }
    const heard = () => peers.every(({ heard, isClosed }) => isClosed || heard.has("PONG"));
    while (!heard()) await Bun.sleep(5);
    for (const peer of peers) peer.abort();
    // Until the seats are free again.
    await Bun.sleep(50);
  }
}
