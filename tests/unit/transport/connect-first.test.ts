import { afterEach, describe, expect, mock, spyOn, test } from "bun:test";
import type { Socket } from "bun";
import { connectFirst } from "../../../lib/transport/connect-first.ts";
import { listen } from "../../../lib/transport/socket.ts";
import { testIdentity } from "../../support/identity.ts";
import { until } from "../../support/until.ts";

afterEach(() => {
  mock.restore();
});

/** Longer than a test. */
const NEVER = 3_600_000;
const at = (port: number) => ({ kind: "tcp", host: "127.0.0.1", port }) as const;

describe("connectFirst()", () => {
  test("closes the slower of two connections that open in the same moment", async () => {
    const opened: (() => void)[] = [];
    const ended: number[] = [];
    spyOn(Bun, "connect").mockImplementation(((options: { socket: { open(socket: unknown): void } }) => {
      const index = opened.length;
      const socket: Partial<Socket> = { setNoDelay: () => true, terminate: () => void ended.push(index) };
      opened.push(() => options.socket.open(socket));
      return new Promise(() => {});
    }) as unknown as typeof Bun.connect);
    const connecting = connectFirst([at(1), at(2)], { timeoutMs: NEVER });
    await until(() => opened.length === 2);
    for (const open of opened) open();
    const winner = await connecting;
    expect(winner.peer).toBe("127.0.0.1:1");
    await until(() => ended.length > 0);
    expect(ended).toEqual([1]);
  });

  test("gives each address its head start, and does not dial all others together", async () => {
    const waits: (() => void)[] = [];
    let dialled = 0;
    const { sleep } = Bun;
    // until() sleeps as well, but less.
    spyOn(Bun, "sleep").mockImplementation((ms) =>
      Number(ms) < 100 ? sleep(ms) : new Promise((resolve) => void waits.push(resolve)),
    );
    spyOn(Bun, "connect").mockImplementation((() => {
      dialled++;
      return new Promise(() => {});
    }) as unknown as typeof Bun.connect);
    const ending = new AbortController();
    const connecting = connectFirst([at(1), at(2), at(3)], { timeoutMs: NEVER, signal: ending.signal });
    connecting.catch(() => {});
    for (let before = 1; before < 3; before++) {
      await until(() => dialled === before && waits.length === before);
      waits.at(-1)?.();
    }
    await until(() => dialled === 3);
    expect(waits).toHaveLength(2);
    ending.abort();
    await expect(connecting).rejects.toMatchObject({ code: "INTERRUPTED" });
  });

  test("closes at once a connection that is not ready when another is", async () => {
    let [links, ends] = [0, 0];
    const silent = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { open: () => void links++, close: () => void ends++, data() {} },
    });
    const server = listen(
      at(0),
      (transport) => transport.start({ onBytes() {}, onDrain() {}, onClosed() {} }),
      await testIdentity(),
    );
    try {
      if (server.address.kind !== "tcp") return expect.unreachable();
      const addresses = [at(silent.port), at(server.address.port)];
      const winner = await connectFirst(addresses, { timeoutMs: NEVER, trust: { verify() {} } });
      expect(winner.channelBinding).toHaveLength(32);
      await until(() => ends > 0);
      expect([links, ends]).toEqual([1, 1]);
      winner.abort();
    } finally {
      silent.stop(true);
      server.stop();
    }
  });
});
