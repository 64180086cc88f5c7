import { expect, test } from "bun:test";
import { join } from "node:path";
import { runClient, ServerProcess } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { describeWith, LineProcess, type PeerEvent, program } from "./peer.ts";
import { buildFirst, identityFile, readInvite, TOKEN, writeInvite } from "./site.ts";

const OTHER = `SHA256:${"A".repeat(43)}`;

/** Run the Node client to its end. */
async function node(...args: string[]) {
  await using process = new LineProcess([program("node"), join(import.meta.dir, "node-client.mjs"), ...args]);
  const ended = await process.finish();
  return { ...ended, events: process.lines.map((line): PeerEvent => JSON.parse(line)) };
}

/** A Node server, and a home for clients that know nothing but an invite. */
class NodeSite implements AsyncDisposable {
  readonly #folder = new TempFolder();
  readonly server: LineProcess;
  #members = { n: "node", a: [""], i: "" };

  private constructor(server: LineProcess) {
    this.server = server;
  }

  static async open(...lie: string[]): Promise<NodeSite> {
    const file = join(import.meta.dir, "node-server.mjs");
    const site = new NodeSite(new LineProcess([program("node"), file, await identityFile(), TOKEN, ...lie]));
    const { port, fingerprint } = await site.server.event("listening");
    site.#members = { n: "node", a: [`127.0.0.1:${port}`], i: fingerprint };
    return site;
  }

  /** Send a message, with an invite that says so. */
  send(invite: object = {}) {
    const line = writeInvite({ ...this.#members, t: TOKEN, ...invite });
    const env = { XDG_STATE_HOME: this.#folder.path, COMMSERVER_INVITE: line };
    return runClient(["send", "grüße 🎉", "--json"], { env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

const describeNode = describeWith("node", "openssl");

buildFirst();

describeNode("a Node client from PROTOCOL.md alone", () => {
  test("proves its token bound to TLS, is shown the server's proof, writes and lists", async () => {
    using folder = new TempFolder();
    await Bun.write(folder.join("docs/a.txt"), "abc");
    await using server = await ServerProcess.start(["-r", folder.path]);
    const invite = server.events[0]?.["invite"];
    const sent = await node(invite, server.address, "message", "grüße 🎉");
    expect(sent).toMatchObject({ exitCode: 0, stderr: "" });
    expect(sent.events).toMatchObject([
      { event: "welcome", role: "write" },
      { event: "result", text: "grüße 🎉 ACK", delivered: ["Server"] },
      { event: "closed" },
    ]);
    const listed = await node(invite, server.address, "list", "docs/*");
    expect(listed.events[1]).toMatchObject({ event: "listed", entries: [{ path: "docs/a.txt", size: 3 }] });
    expect(await server.event("left", { name: "Client02" })).toMatchObject({ reason: "exit" });
  });

  test("is denied with another secret and with another name, in the same words", async () => {
    using folder = new TempFolder();
    await using server = await ServerProcess.start(["-r", folder.path]);
    const invite = readInvite(server.events[0]?.["invite"]);
    const refusals = [];
    for (const t of [`${invite.t.split(":")[0]}:${"x".repeat(43)}`, TOKEN]) {
      const { exitCode, events } = await node(writeInvite({ ...invite, t }), server.address, "list");
      expect(exitCode).toBe(3);
      refusals.push(events);
    }
    expect(refusals[0]).toEqual([{ event: "refused", code: 17, message: expect.any(String) }]);
    expect(refusals[1]).toEqual(refusals[0] as PeerEvent[]);
  });

  test("leaves a server of another identity before HELLO", async () => {
    using folder = new TempFolder();
    await using server = await ServerProcess.start(["-r", folder.path]);
    const invite = readInvite(server.events[0]?.["invite"]);
    const { exitCode, events } = await node(writeInvite({ ...invite, i: OTHER }), server.address, "list");
    expect({ exitCode, events }).toEqual({ exitCode: 5, events: [] });
    server.signal("SIGTERM");
    await server.exited();
    expect(server.events.filter(({ event }) => event === "joined")).toEqual([]);
  });
});

describeNode("a Node server from PROTOCOL.md alone", () => {
  test("is reached by an invite, and takes the compiled client's proof that is bound to TLS", async () => {
    await using site = await NodeSite.open();
    const { exitCode, stdout, stderr } = await site.send();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ text: "grüße 🎉 ACK" });
    expect(await site.server.event("proof")).toEqual({ event: "proof", isBound: true, isRight: true });
    expect(await site.server.event("message")).toMatchObject({ text: "grüße 🎉" });
    expect(await site.server.event("goaway")).toMatchObject({ code: 0 });
  });

  test.each([
    ["another secret", { t: `peer:${"x".repeat(43)}` }, "ACCESS_DENIED"],
    ["another name", { t: TOKEN.replace("peer", "nobody") }, "ACCESS_DENIED"],
    ["another identity", { i: OTHER }, "WRONG_IDENTITY"],
  ])("with an invite for %s the compiled client is not let in: exit 5", async (_, invite, code) => {
    await using site = await NodeSite.open();
    const { exitCode, stderr } = await site.send(invite);
    expect({ exitCode, code: JSON.parse(stderr).error.code }).toEqual({ exitCode: 5, code });
    expect(site.server.events("message")).toEqual([]);
    expect(site.server.events("hello")).toHaveLength(code === "WRONG_IDENTITY" ? 0 : 1);
  });

  test.each(["signature", "welcome"])("that lies about its %s hears no message: exit 5", async (lie) => {
    await using site = await NodeSite.open(lie);
    const { exitCode, stderr } = await site.send();
    expect({ exitCode, code: JSON.parse(stderr).error.code }).toEqual({ exitCode: 5, code: "WRONG_IDENTITY" });
    expect(site.server.events("message")).toEqual([]);
  });

  test("an invite with one letter changed is not followed", async () => {
    const line = writeInvite({ n: "node", a: ["127.0.0.1:1"], i: OTHER, t: TOKEN });
    const damaged = line.replace(/.(.{9})$/, (all, rest) => (all[0] === "A" ? "B" : "A") + rest);
    using folder = new TempFolder();
    const env = { XDG_STATE_HOME: folder.path, COMMSERVER_INVITE: damaged };
    expect(await runClient(["status"], { env })).toMatchObject({ exitCode: 2, stdout: "" });
  });
});
