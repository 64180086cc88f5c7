import { describe, expect, test } from "bun:test";
import fs from "node:fs";
import type { Socket } from "bun";
import { libc } from "../../../lib/platform/libc.ts";
import { isOwnPeer } from "../../../lib/platform/peer-user.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../../support/unprivileged.ts";
import { until } from "../../support/until.ts";

const NONE = -1;
const fdOf = (socket: Socket<unknown>) => (socket as unknown as { readonly fd: number }).fd;

/** A server of a Unix socket, and its connections in their order. */
class Server implements Disposable {
  readonly #folder = new TempFolder();
  readonly accepted: Socket<unknown>[] = [];
  readonly dialled: Socket<unknown>[] = [];
  readonly #listener = Bun.listen({
    unix: this.#folder.join("socket"),
    // Paused, so that it doesn't find the end of its peer by itself.
    socket: {
      data() {},
      open: (socket) => {
        socket.pause();
        this.accepted.push(socket);
      },
    },
  });

  constructor() {
    fs.chmodSync(this.#folder.join("socket"), 0o777);
  }

  get folder(): string {
    return this.#folder.path;
  }

  /** The accepting end. */
  async connect(): Promise<number> {
    const before = this.accepted.length;
    this.dialled.push(await Bun.connect({ unix: this.#folder.join("socket"), socket: { data() {} } }));
    await until(() => this.accepted.length > before);
    return fdOf(this.accepted[before] as Socket<unknown>);
  }

  [Symbol.dispose](): void {
    for (const socket of [...this.accepted, ...this.dialled]) socket.terminate();
    this.#listener.stop(true);
    this.#folder[Symbol.dispose]();
  }
}

describe.skipIf(process.platform !== "linux")("calls for sockets", () => {
  test("sendfile hands on just the bytes that it is asked for, and says when there are none", () => {
    using folder = new TempFolder();
    fs.writeFileSync(folder.join("from"), "0123456789");
    const from = fs.openSync(folder.join("from"), "r");
    // Linux takes any file in place of the socket.
    const to = fs.openSync(folder.join("to"), "w");
    const { sendfile } = libc();
    try {
      expect(sendfile?.(to, from, 2, 3)).toBe(3);
      expect(sendfile?.(to, from, 8, 100)).toBe(2);
      expect(sendfile?.(to, from, 10, 1)).toBe(0);
      expect(sendfile?.(NONE, from, 0, 1)).toBe(-1);
    } finally {
      fs.closeSync(from);
      fs.closeSync(to);
    }
    expect(fs.readFileSync(folder.join("to"), "utf8")).toBe("23489");
  });

  test("the user at the other end is this one here, and nobody where the system can't say", async () => {
    using server = new Server();
    const fd = await server.connect();
    expect(libc().peerUser?.(fd)).toBe(process.geteuid?.());
    expect(isOwnPeer(fd)).toBe(true);
    expect(libc().peerUser?.(NONE)).toBeUndefined();
    expect(isOwnPeer(NONE)).toBe(true);
  });

  test.skipIf(noPermissionTests !== undefined || process.getuid?.() !== 0)(
    permissionTest("another user at the other end is that user, and not ours; root is"),
    async () => {
      using server = new Server();
      const [theirs, roots] = [await unprivileged(server.folder, () => server.connect()), await server.connect()];
      expect(libc().peerUser?.(theirs)).toBe(65_534);
      expect(isOwnPeer(theirs)).toBe(false);
      await unprivileged(server.folder, () => {
        expect(isOwnPeer(theirs)).toBe(true);
        expect(isOwnPeer(roots)).toBe(true);
      });
    },
  );

  test("reports those of several sockets whose peer has sent its last byte", async () => {
    using server = new Server();
    const fds = [await server.connect(), await server.connect(), await server.connect()];
    const ended = () => libc().endedSockets?.(fds);
    expect(ended()).toEqual([]);
    server.dialled[1]?.shutdown();
    await until(() => ended()?.length === 1);
    expect(ended()).toEqual([1]);
    server.dialled[2]?.terminate();
    await until(() => ended()?.length === 2);
    expect(ended()).toEqual([1, 2]);
  });

  test("an unread byte is no end", async () => {
    using server = new Server();
    const fd = await server.connect();
    server.dialled[0]?.write("x");
    server.dialled[0]?.flush();
    expect(libc().endedSockets?.([fd])).toEqual([]);
  });
});
