import { describe, expect, test } from "bun:test";
import type { PeerAddress, Transport } from "../../lib/session/transport.ts";
import { settle } from "../support/fake-clock.ts";
import { cut, noise, TransportRecorder } from "../support/transport-recorder.ts";

/** Two linked ends, neither started. */
export interface TransportFixture extends AsyncDisposable {
  readonly ends: readonly [Transport, Transport];
  /** Where each end sees the other one. */
  readonly peerAddress: PeerAddress;
}

const MB = 1024 * 1024;
const SIZES = [1, 7, 4096, 65_536, 3, 300_001, 16];

/** What lib/session/transport.ts says, for every implementation of it. */
export function transportContract(name: string, open: () => Promise<TransportFixture>): void {
  const started = async (fixture: TransportFixture) =>
    fixture.ends.map((end) => new TransportRecorder(end).start()) as [TransportRecorder, TransportRecorder];

  describe(`${name}: write()`, () => {
    test("delivers every byte in order, 16 MB both ways at once", async () => {
      await using fixture = await open();
      const [a, b] = await started(fixture);
      const there = noise(16 * MB, 1);
      const back = noise(16 * MB, 2);
      await Promise.all([a.send(cut(there, SIZES)), b.send(cut(back, [...SIZES].reverse()))]);
      await Promise.all([b.received(there.length), a.received(back.length)]);
      expect(b.bytes.equals(there)).toBe(true);
      expect(a.bytes.equals(back)).toBe(true);
    });

    test("delivers everything in order, even if the writer does not wait for onDrain()", async () => {
      await using fixture = await open();
      const [a, b] = await started(fixture);
      const content = noise(24 * MB);
      for (const part of cut(content, [100_003])) a.transport.write(part);
      await b.received(content.length);
      expect(b.bytes.equals(content)).toBe(true);
    });

    test("returns false while the other end does not read, then calls onDrain() once it does", async () => {
      await using fixture = await open();
      const [a, b] = await started(fixture);
      b.keep = false;
      b.transport.pause();
      const written = await a.fill(new Uint8Array(65_536));
      const drainsBefore = a.drains;
      b.transport.resume();
      await b.received(written);
      expect(b.byteCount).toBe(written);
      expect(a.drains).toBe(drainsBefore + 1);
      expect(a.transport.write(new Uint8Array(1))).toBe(true);
    });

    test("leaves the buffer to the caller when it returns true", async () => {
      await using fixture = await open();
      const [a, b] = await started(fixture);
      const buffer = new TextEncoder().encode("before");
      expect(a.transport.write(buffer)).toBe(true);
      buffer.fill(0);
      await b.received(6);
      expect(b.text).toBe("before");
    });

    test("does nothing and returns true after close(), also while older bytes wait", async () => {
      await using fixture = await open();
      const [a, b] = await started(fixture);
      const content = noise(8 * MB);
      a.transport.write(content);
      a.transport.close();
      expect(a.transport.write(Buffer.from("late"))).toBe(true);
      await b.closed();
      expect(b.bytes.equals(content)).toBe(true);
    });
  });

  describe(`${name}: pause() and resume()`, () => {
    test("pause() in onBytes() stops the delivery there, and resume() goes on without a gap", async () => {
      await using fixture = await open();
      const [a, b] = await started(fixture);
      b.onPiece = () => b.transport.pause();
      const content = noise(4 * MB);
      const sent = a.send(cut(content, [65_536]));
      let pieces = 0;
      while (b.byteCount < content.length) {
        await b.received(b.byteCount + 1);
        pieces++;
        await settle();
        expect(b.pieces).toHaveLength(pieces);
        b.transport.resume();
      }
      await sent;
      expect(b.bytes.equals(content)).toBe(true);
    });

    test("a paused end still sends", async () => {
      await using fixture = await open();
      const [a, b] = await started(fixture);
      b.transport.pause();
      await b.send(cut(noise(4 * MB), [65_536]));
      await a.received(4 * MB);
      expect(a.byteCount).toBe(4 * MB);
    });
  });

  describe(`${name}: close()`, () => {
    test("delivers everything that was written before", async () => {
      await using fixture = await open();
      const [a, b] = await started(fixture);
      const content = noise(12 * MB);
      for (const part of cut(content, [262_144])) a.transport.write(part);
      a.transport.close();
      await Promise.all([a.closed(), b.closed()]);
      expect(b.bytes.equals(content)).toBe(true);
      expect(b.closes).toEqual([undefined]);
      expect(a.closes).toEqual([undefined]);
    });

    test("gets the last words through while the peer is still sending", async () => {
      for (let round = 0; round < 8; round++) {
        await using fixture = await open();
        const [a, b] = await started(fixture);
        a.keep = false;
        const flood = new Uint8Array(512 * 1024);
        // The peer sends from first to last, also on top of what it could not get rid of yet.
        const floods = Array.from({ length: 16 }, () => flood);
        for (const part of floods) b.transport.write(part);
        await a.received(1);
        const words = `last words of round ${round}`;
        a.transport.write(Buffer.from(words));
        a.transport.close();
        for (const part of floods) b.transport.write(part);
        await Promise.all([a.closed(), b.closed()]);
        expect(b.text).toBe(words);
        expect(b.closes).toEqual([undefined]);
      }
    });

    test("delivers nothing more to the side that has closed", async () => {
      await using fixture = await open();
      const [a, b] = await started(fixture);
      b.transport.write(Buffer.from("on its way"));
      a.transport.close();
      b.transport.write(Buffer.from("late"));
      await Promise.all([a.closed(), b.closed()]);
      await settle();
      expect(a.byteCount).toBe(0);
      expect(a.drains).toBe(0);
    });

    test("in onBytes() makes that piece the last", async () => {
      await using fixture = await open();
      const [a, b] = await started(fixture);
      b.onPiece = () => b.transport.close();
      for (const part of cut(noise(4 * MB), [65_536])) a.transport.write(part);
      await Promise.all([a.closed(), b.closed()]);
      expect(b.pieces).toHaveLength(1);
    });

    test("of a paused end reads on, so that it needs no deadline and the peer gets no reset", async () => {
      await using fixture = await open();
      const [a, b] = await started(fixture);
      b.transport.pause();
      await a.fill(new Uint8Array(65_536));
      const start = performance.now();
      b.transport.write(Buffer.from("last words"));
      b.transport.close();
      await Promise.all([a.closed(), b.closed()]);
      expect(a.text).toBe("last words");
      expect([...a.closes, ...b.closes]).toEqual([undefined, undefined]);
      expect(b.byteCount).toBe(0);
      expect(performance.now() - start).toBeLessThan(1_500);
    });
  });

  describe(`${name}: the end`, () => {
    const ENDINGS: Record<string, (a: Transport, b: Transport) => void> = {
      "close()": (a) => a.close(),
      "close() twice": (a) => [a.close(), a.close()],
      "close() on both ends": (a, b) => [a.close(), b.close()],
      "abort()": (a) => a.abort(),
      "abort() twice": (a) => [a.abort(), a.abort()],
      "abort() on both ends": (a, b) => [a.abort(), b.abort()],
      "close(), then abort()": (a) => [a.close(), a.abort()],
      "abort(), then close()": (a) => [a.abort(), a.close()],
      "close() here, abort() there": (a, b) => [a.close(), b.abort()],
      "abort() with bytes under way": (a, b) => [a.write(noise(8 * MB)), b.write(noise(8 * MB)), a.abort()],
    };

    test.each(Object.keys(ENDINGS))("is told once to both after %s", async (ending) => {
      await using fixture = await open();
      const [a, b] = await started(fixture);
      ENDINGS[ending]?.(a.transport, b.transport);
      await Promise.all([a.closed(), b.closed()]);
      for (const { transport } of [a, b]) {
        transport.resume();
        transport.close();
        transport.abort();
      }
      await settle();
      expect([a.closes.length, b.closes.length]).toEqual([1, 1]);
    });

    test("is reported once to a paused end that has read nothing, after what had arrived", async () => {
      await using fixture = await open();
      const [a, b] = await started(fixture);
      b.transport.pause();
      const words = noise(20_000);
      a.transport.write(words);
      a.transport.close();
      await b.closed();
      expect(b.bytes.equals(words)).toBe(true);
      expect(b.closes).toEqual([undefined]);
    });

    test("after abort() brings nothing more, and comes after all that was delivered", async () => {
      await using fixture = await open();
      const [a, b] = await started(fixture);
      b.transport.write(noise(8 * MB));
      await a.received(1);
      const before = a.byteCount;
      a.transport.abort();
      b.transport.write(noise(MB));
      await Promise.all([a.closed(), b.closed()]);
      await settle();
      expect(a.byteCount).toBe(before);
    });

    test("in onBytes() by abort() makes that piece the last", async () => {
      await using fixture = await open();
      const [a, b] = await started(fixture);
      b.onPiece = () => b.transport.abort();
      for (const part of cut(noise(4 * MB), [65_536])) a.transport.write(part);
      await Promise.all([a.closed(), b.closed()]);
      expect(b.pieces).toHaveLength(1);
      expect(b.closes).toHaveLength(1);
    });
  });

  describe(`${name}: peerAddress`, () => {
    test("says where the other end is, before start() and after the end", async () => {
      await using fixture = await open();
      const seen = () => fixture.ends.map(({ peerAddress }) => peerAddress);
      expect(seen()).toEqual([fixture.peerAddress, fixture.peerAddress]);
      const [a, b] = await started(fixture);
      a.transport.abort();
      await Promise.all([a.closed(), b.closed()]);
      expect(seen()).toEqual([fixture.peerAddress, fixture.peerAddress]);
    });
  });

  describe(`${name}: start()`, () => {
    test("delivers first what came before", async () => {
      await using fixture = await open();
      const [a, b] = [new TransportRecorder(fixture.ends[0]).start(), new TransportRecorder(fixture.ends[1])];
      const content = noise(300_000);
      for (const part of cut(content.subarray(0, 200_000), [50_000])) a.transport.write(part);
      await settle();
      b.start();
      a.transport.write(content.subarray(200_000));
      await b.received(content.length);
      expect(b.bytes.equals(content)).toBe(true);
    });

    test("names the other end", async () => {
      await using fixture = await open();
      for (const { peer } of fixture.ends) expect(peer).toMatch(/\S/);
    });
  });
}
