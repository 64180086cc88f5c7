import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { listen } from "../../lib/transport/socket.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { testIdentity } from "../support/identity.ts";
import { run, runClient, type ServerProcess } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";
import { describeWith, noise, program } from "./peer.ts";
import { buildFirst, CompiledSite, startCompiled } from "./site.ts";

const HELLO_OF_TLS = "16030101fa010001f60303";
const SMB = "00000085ff534d4272000000001853c80000000000000000000000000000fffe00000000";

/** What other programs say first. */
const STRAYS: [what: string, bytes: Uint8Array][] = [
  ["a browser's GET", Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")],
  ["a banner of SSH", Buffer.from("SSH-2.0-OpenSSH_9.6\r\n")],
  ["a negotiation of SMB", Buffer.from(SMB, "hex")],
  ["random bytes", noise(4_096)],
  ["one byte", Buffer.from("\n")],
  ["half a hello of TLS", Buffer.from(HELLO_OF_TLS, "hex")],
  ["half a HELLO of ours", Buffer.from("c501000000000000", "hex")],
];

/** The ways a server may listen, and how a stray is refused there. */
const PORTS: [port: string, flags: string[], codes: string[]][] = [
  ["TLS", ["--open"], ["TLS_FAILED"]],
  ["plaintext", ["--plaintext", "--open"], ["BAD_MAGIC"]],
];

async function open(flags: string[]): Promise<CompiledSite> {
  const folder = new TempFolder();
  return new CompiledSite(folder, await startCompiled(folder.path, ["--max-clients", "1", ...flags]));
}

/** Say that, and no more; see what comes back until the other side ends. @returns where it came from */
async function say(port: number, bytes: Uint8Array, isHalfClosed = true): Promise<string> {
  const socket: Socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await new Promise((resolve) => socket.once("connect", resolve));
  const { port: own } = socket.address() as AddressInfo;
  socket.resume().once("end", () => socket.end());
  socket.write(bytes);
  if (isHalfClosed) socket.end();
  await closed;
  return `127.0.0.1:${own}`;
}

function openFiles(server: ServerProcess): number {
  return readdirSync(`/proc/${server.pid}/fd`).length;
}

buildFirst();

describeWith("openssl").each(PORTS)("stray bytes at a %s port", (_, flags, codes) => {
  test("are refused in one line with their address, and leave neither a seat nor a descriptor behind", async () => {
    await using site = await open(flags);
    expect((await site.compiled("status")).exitCode).toBe(0);
    await site.server.event("left");
    const before = openFiles(site.server);
    for (const [what, bytes] of STRAYS) {
      const address = await say(site.server.port, bytes);
      const isOurs = what === "half a HELLO of ours" && codes[0] === "BAD_MAGIC";
      // A frame of ours that is cut off is a pipe that ended: nothing to refuse.
      if (isOurs) continue;
      const event = await site.server.event("refused");
      expect({ what, ...event }).toMatchObject({ what, address, message: expect.stringMatching(/^[^\n]+$/) });
      expect(codes).toContain(event["code"]);
    }
    await until(() => process.platform !== "linux" || openFiles(site.server) <= before);
    const { stdout } = await site.compiled("status", "--json");
    expect(JSON.parse(stdout).seats).toMatchObject({ taken: 1, waiting: 0 });
    site.server.signal("SIGTERM");
    expect(await site.server.exited()).toBe(0);
    const lines = site.server.events.filter(({ event }) => event === "refused");
    expect(new Set(lines.map(({ address }) => address)).size).toBe(lines.length);
  });

  test("that are no bytes at all are no matter", async () => {
    await using site = await open(flags);
    for (let times = 0; times < 20; times++) await say(site.server.port, new Uint8Array(0));
    expect((await site.compiled("status")).exitCode).toBe(0);
  });

  test("of a browser that wants HTTP/2 over TLS are refused in one line", async () => {
    await using site = await open(flags);
    const address = `127.0.0.1:${site.server.port}`;
    const command = [program("openssl"), "s_client", "-connect", address, "-alpn", "h2,http/1.1", "-ign_eof"];
    const { exitCode } = await run(command, { stdin: "" });
    expect(exitCode).not.toBe(0);
    expect(await site.server.event("refused")).toMatchObject({ code: codes[0] });
    expect((await site.compiled("status")).exitCode).toBe(0);
  });
});

describeWith()("silence at a TLS port", () => {
  test.each([
    ["from the first byte on", new Uint8Array(0)],
    ["in the middle of the hello of TLS", Buffer.from(HELLO_OF_TLS, "hex")],
  ])("%s ends with the time for the handshake", async (_, bytes) => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock });
    const at = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
    let accepted = 0;
    const take = (transport: Parameters<typeof server.server.accept>[0]) => {
      accepted++;
      server.server.accept(transport);
    };
    const listening = listen(at, take, await testIdentity());
    const over = say(listening.address.kind === "tcp" ? listening.address.port : 0, bytes, false);
    await until(() => accepted > 0);
    await clock.advance(9_999);
    expect(server.events).toEqual([]);
    await clock.advance(1);
    expect(server.events).toMatchObject([{ event: "refused", code: "HANDSHAKE_TIMEOUT" }]);
    expect(server.events[0]).toMatchObject({ address: await over });
    expect(server.server.seats.taken).toBe(0);
    listening.stop();
  });
});

describeWith()("a client and a server that do not agree on encryption", () => {
  test("--plaintext at a server with TLS is exit 3 with a reason", async () => {
    await using site = await open(["--open"]);
    const { exitCode, stderr } = await runClient(["status", "--plaintext", "-s", site.server.address]);
    expect(exitCode).toBe(3);
    expect(stderr).toStartWith("commserver-client: ");
    expect(await site.server.event("refused")).toMatchObject({
      code: "TLS_FAILED",
      message: expect.stringContaining("does not speak TLS"),
    });
  });

  test("TLS at a server without is exit 3, and says what both sides need", async () => {
    await using site = await open(["--plaintext", "--open"]);
    const { exitCode, stderr } = await runClient(["status", "-s", site.server.address]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain("No TLS at ");
    expect(stderr).toContain("needs --plaintext on both sides");
    expect(await site.server.event("refused")).toMatchObject({ code: "BAD_MAGIC" });
  });
});
