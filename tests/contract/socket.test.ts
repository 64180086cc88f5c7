import { describe, expect, test } from "bun:test";
import { connect, listen } from "../../lib/transport/socket.ts";
import { settle } from "../support/fake-clock.ts";
import { codeOf, faultOf } from "../support/fault.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { SocketPair } from "../support/socket-pair.ts";
import { isAllRead } from "../support/tcp-queues.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { cut, noise, TransportRecorder } from "../support/transport-recorder.ts";
import { unreadBytes } from "../support/unread-bytes.ts";
import { until } from "../support/until.ts";

/** What sockets do beyond the contract that all transports share. */

const MB = 1024 * 1024;
const TIMEOUT = { timeoutMs: 5_000 };

describe.each([
  ["TCP", SocketPair.tcp],
  ["TLS", SocketPair.tls],
  ["Unix socket", SocketPair.unix],
] as const)("%s: before start()", (_, open) => {
  /** The connecting end has sent 16 MB, of which much has been read at the other end, which is not started. */
  async function withEarlyBytes(): Promise<{ pair: SocketPair; sender: TransportRecorder; content: Buffer }> {
    const pair = await open();
    const sender = new TransportRecorder(pair.connected).start();
    const content = noise(16 * MB);
    await sender.send(cut(content, [MB]));
    return { pair, sender, content };
  }

  test("many MB are kept and delivered first, in order", async () => {
    const { pair, sender, content } = await withEarlyBytes();
    await using _ = pair;
    const receiver = new TransportRecorder(pair.accepted).start();
    await sender.send([Buffer.from("tail")]);
    await receiver.received(content.length + 4);
    expect(receiver.bytes.equals(Buffer.concat([content, Buffer.from("tail")]))).toBe(true);
  });

  test("what the peer sent before it left is delivered, then its end", async () => {
    const { pair, sender, content } = await withEarlyBytes();
    await using _ = pair;
    sender.transport.close();
    await sender.closed();
    const receiver = new TransportRecorder(pair.accepted).start();
    await receiver.closed();
    expect(receiver.byteCount).toBe(content.length);
    expect(receiver.closes).toHaveLength(1);
  });

  test("pause() in the first onBytes() holds back the other early pieces", async () => {
    const { pair, content } = await withEarlyBytes();
    await using _ = pair;
    const receiver = new TransportRecorder(pair.accepted);
    receiver.onPiece = () => pair.accepted.pause();
    receiver.start();
    await settle();
    expect(receiver.pieces).toHaveLength(1);
    receiver.onPiece = undefined;
    pair.accepted.resume();
    await receiver.received(content.length);
    expect(receiver.bytes.equals(content)).toBe(true);
  });

  test("abort() in the first onBytes() ends it, told once", async () => {
    const { pair } = await withEarlyBytes();
    await using _ = pair;
    const receiver = new TransportRecorder(pair.accepted);
    receiver.onPiece = () => pair.accepted.abort();
    receiver.start();
    await receiver.closed();
    await settle();
    expect(receiver.pieces).toHaveLength(1);
    expect(receiver.closes).toHaveLength(1);
  });

  test.each(["resume", "close", "abort"] as const)(
    "a reset that comes while early pieces are paused is told, once, after %s()",
    async (end) => {
      const { pair, sender } = await withEarlyBytes();
      await using _ = pair;
      const receiver = new TransportRecorder(pair.accepted);
      receiver.onPiece = () => pair.accepted.pause();
      receiver.start();
      sender.transport.abort();
      await sender.closed();
      for (let turn = 0; turn < 10; turn++) await settle();
      receiver.onPiece = undefined;
      pair.accepted[end]();
      for (let turn = 0; turn < 10; turn++) await settle();
      expect(receiver.closes).toHaveLength(1);
    },
  );

  test("the end of a peer that leaves while we are paused and it reads nothing is reported at once, after what it sent", async () => {
    const { pair, sender, content } = await withEarlyBytes();
    await using _ = pair;
    // Bytes that the system still has when the peer is gone are dropped, because we are paused then.
    await until(() => isAllRead(pair.accepted.peer) && !unreadBytes(pair.accepted.fd));
    const receiver = new TransportRecorder(pair.accepted);
    receiver.onPiece = () => pair.accepted.pause();
    receiver.start();
    sender.transport.pause();
    while (pair.accepted.write(new Uint8Array(1_000_000)));
    sender.transport.abort();
    await receiver.closed();
    expect(receiver.byteCount).toBe(content.length);
  });

  test("resume() in onBytes() delivers the next piece when this one is done, not within it", async () => {
    const { pair, content } = await withEarlyBytes();
    await using _ = pair;
    const receiver = new TransportRecorder(pair.accepted);
    let [running, most] = [0, 0];
    receiver.onPiece = () => {
      most = Math.max(most, ++running);
      pair.accepted.pause();
      pair.accepted.resume();
      running--;
    };
    receiver.start();
    await receiver.received(content.length);
    expect(most).toBe(1);
    expect(receiver.bytes.equals(content)).toBe(true);
  });

  test("start() reports a peer that is gone already as closed", async () => {
    await using pair = await open();
    const sender = new TransportRecorder(pair.connected).start();
    sender.transport.close();
    await sender.closed();
    const receiver = new TransportRecorder(pair.accepted).start();
    await receiver.closed();
    expect(receiver.closes).toEqual([undefined]);
  });

  test("a bug in onBytes() costs only this link, and is reported by onClosed()", async () => {
    await using pair = await open();
    const sender = new TransportRecorder(pair.connected).start();
    const receiver = new TransportRecorder(pair.accepted);
    const defect = new Error("a defect");
    receiver.onPiece = () => {
      throw defect;
    };
    receiver.start();
    sender.transport.write(Buffer.from("x"));
    await Promise.all([sender.closed(), receiver.closed()]);
    expect(receiver.closes).toEqual([defect]);
  });
});

describe.each([
  ["TCP", SocketPair.tcp],
  ["TLS", SocketPair.tls],
  ["Unix socket", SocketPair.unix],
] as const)("%s: a reset while we are paused", (_, open) => {
  test("is reported at once, and delivers nothing that the system still had from the peer", async () => {
    await using pair = await open();
    const sender = new TransportRecorder(pair.connected).start();
    const receiver = new TransportRecorder(pair.accepted).start();
    receiver.transport.pause();
    await sender.fill(new Uint8Array(65_536));
    sender.transport.pause();
    while (receiver.transport.write(new Uint8Array(MB)));
    sender.transport.abort();
    await receiver.closed();
    expect(receiver.byteCount).toBe(0);
  });
});

describe("close() of a socket", () => {
  test("gives up in the end on a peer that reads nothing", async () => {
    await using pair = await SocketPair.tcp();
    const [a, b] = [new TransportRecorder(pair.connected).start(), new TransportRecorder(pair.accepted).start()];
    b.transport.pause();
    await a.fill(new Uint8Array(MB));
    a.transport.close();
    await a.closed();
    expect(a.closes).toHaveLength(1);
  });
});

describe("a peer that sends no more", () => {
  test("is reported before written bytes have left, which leave all the same", async () => {
    const accepted: TransportRecorder[] = [];
    const listening = listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, (transport) =>
      accepted.push(new TransportRecorder(transport).start()),
    );
    await using peer = await RawPeer.connect(listening.address.kind === "tcp" ? listening.address.port : 0);
    const ours = await until(() => accepted[0]);
    peer.pause();
    await ours.fill(new Uint8Array(MB));
    peer.halfClose();
    await until(() => ours.peerEnds > 0);
    expect(ours.closes).toEqual([]);
    peer.resume();
    await ours.closed();
    expect([ours.peerEnds, ours.closes]).toEqual([1, [undefined]]);
    listening.stop();
  });

  test("is not reported to the side that has closed", async () => {
    await using pair = await SocketPair.tcp();
    const [a, b] = [new TransportRecorder(pair.connected).start(), new TransportRecorder(pair.accepted).start()];
    a.transport.close();
    await Promise.all([a.closed(), b.closed()]);
    expect([a.peerEnds, b.peerEnds]).toEqual([0, 1]);
  });
});

describe("peer", () => {
  test("is the address on TCP and a word on a Unix socket", async () => {
    await using tcp = await SocketPair.tcp();
    await using unix = await SocketPair.unix();
    expect(tcp.accepted.peer).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(tcp.connected.peer).toBe(`127.0.0.1:${tcp.address.kind === "tcp" && tcp.address.port}`);
    expect(unix.accepted.peer).toBe("unix");
    expect(unix.connected.peer).toStartWith("unix:/");
  });
});

describe("connect()", () => {
  test("says CANNOT_CONNECT where nobody listens", async () => {
    const stopped = listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, () => {});
    stopped.stop();
    const fault = await faultOf(() => connect(stopped.address, TIMEOUT));
    expect(fault.code).toBe("CANNOT_CONNECT");
    expect(fault.message).toContain("nobody listens there");
  });

  test("says CANNOT_CONNECT for a missing socket, or a file that is not a socket", async () => {
    using folder = new TempFolder();
    await Bun.write(folder.join("file"), "no socket");
    for (const name of ["missing.sock", "file"]) {
      expect(await codeOf(() => connect({ kind: "unix", path: folder.join(name) }, TIMEOUT))).toBe("CANNOT_CONNECT");
    }
  });

  test("says CANNOT_CONNECT for a host that no name server may know (RFC 6761)", async () => {
    const fault = await faultOf(() => connect({ kind: "tcp", host: "host.invalid", port: 1 }, TIMEOUT));
    expect(fault.code).toBe("CANNOT_CONNECT");
  });

  test("says INTERRUPTED when its signal is or becomes aborted", async () => {
    await using pair = await SocketPair.tcp();
    const signal = AbortSignal.abort();
    expect(await codeOf(() => connect(pair.address, { ...TIMEOUT, signal }))).toBe("INTERRUPTED");
    const later = new AbortController();
    const connecting = connect(pair.address, { ...TIMEOUT, signal: later.signal });
    later.abort();
    expect(await codeOf(() => connecting)).toBe("INTERRUPTED");
  });
});

describe("listen()", () => {
  test("says CANNOT_LISTEN for a port in use, an address of another machine and a missing folder", async () => {
    await using pair = await SocketPair.tcp();
    using folder = new TempFolder();
    const cases = [
      { at: pair.address, why: "in use" },
      { at: { kind: "tcp", host: "192.0.2.1", port: 0 }, why: "no such address" },
      { at: { kind: "tcp", host: "fe80::1", port: 0 }, why: "needs the network interface: fe80::1%" },
      { at: { kind: "unix", path: folder.join("missing", "x.sock") }, why: "" },
    ] as const;
    for (const { at, why } of cases) {
      const fault = await faultOf(() => listen(at, () => {}));
      expect(fault.code).toBe("CANNOT_LISTEN");
      expect(fault.message).toContain(why);
    }
  });

  test("tells the real port for port 0", async () => {
    const listening = listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, () => {});
    listening.stop();
    expect(listening.address.kind === "tcp" && listening.address.port).toBeGreaterThan(0);
  });

  test("takes no more after stop(), and what is open goes on", async () => {
    const accepted: TransportRecorder[] = [];
    const listening = listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, (transport) =>
      accepted.push(new TransportRecorder(transport).start()),
    );
    const first = new TransportRecorder(await connect(listening.address, TIMEOUT)).start();
    await first.send([Buffer.from("one")]);
    listening.stop();
    expect(await codeOf(() => connect(listening.address, TIMEOUT))).toBe("CANNOT_CONNECT");
    await first.send([Buffer.from("two")]);
    await accepted[0]?.received(6);
    expect(accepted.map(({ text }) => text)).toEqual(["onetwo"]);
    first.transport.close();
    await first.closed();
  });
});
