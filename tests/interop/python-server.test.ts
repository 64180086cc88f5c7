import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { frame, HELLO } from "../support/frames.ts";
import { runClient } from "../support/processes.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { describeInterop, KEPT, noise, PeerServer, runPeer } from "./peer.ts";
import { buildFirst, PEER_WIRES, PROVEN, PythonSite } from "./site.ts";

const FILES = {
  "a.txt": "abc",
  empty: "",
  "big.bin": noise(3_000_001),
  "docs/grüße 🎉.bin": noise(70_001),
};

/** A Python server with FILES, and a folder for what is fetched. */
class PeerSite extends PythonSite {
  static open(...options: string[]): Promise<PeerSite> {
    return PeerSite.reached(PROVEN, ...options);
  }

  static async reached(wire: string[], ...options: string[]): Promise<PeerSite> {
    const folder = new TempFolder();
    writeTree(folder.path, { "got/.keep": "" });
    writeTree(folder.join("repository"), FILES);
    return new PeerSite(folder, await PeerServer.start(folder.join("repository"), ...wire, ...options));
  }

  override get own(): string {
    return this.folder.join("got");
  }

  /** What the client has left under a real name. */
  get fetched(): string[] {
    return readdirSync(this.folder.join("got")).filter(
      (name) => !/\.keep$|\.commserver-(part|journal|lock)$/.test(name),
    );
  }
}

buildFirst();

const openTls = PEER_WIRES[1][1];

describeInterop("a Python server from PROTOCOL.md alone", () => {
  test.each(PEER_WIRES)(
    "over %s, serves status, list and ping to the compiled client, which leaves with GOAWAY",
    async (_, wire) => {
      await using site = await PeerSite.reached(await wire());
      const status = await site.run("status", "--json");
      expect(JSON.parse(status.stdout)).toMatchObject({ self: { name: "Client01" }, server: { agent: "peer.py" } });
      const list = await site.run("list", "--json");
      expect(JSON.parse(list.stdout)).toMatchObject([
        { path: "a.txt", kind: "file", size: 3 },
        { path: "big.bin", kind: "file", size: 3_000_001 },
        { path: "docs", kind: "folder", size: 0 },
        { path: "docs/grüße 🎉.bin", kind: "file", size: 70_001 },
        { path: "empty", kind: "file", size: 0 },
      ]);
      expect(JSON.parse((await site.run("list", "**/*.bin", "--json")).stdout)).toHaveLength(2);
      expect((await site.run("ping", "-c", "2")).exitCode).toBe(0);
      expect(await site.server.finish()).toEqual(KEPT);
      expect(site.server.events("goaway").map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    },
  );

  test.each(PEER_WIRES)(
    "over %s, serves files in small odd frames, of which the compiled client makes the same bytes",
    async (_, wire) => {
      await using site = await PeerSite.reached(await wire());
      const paths = Object.keys(FILES) as (keyof typeof FILES)[];
      expect(await site.run("get", ...paths)).toMatchObject({ exitCode: 0 });
      for (const path of paths) {
        const bytes = await Bun.file(site.folder.join("got", path.replace("docs/", ""))).bytes();
        expect(Buffer.from(bytes).equals(Buffer.from(FILES[path] as Uint8Array))).toBe(true);
      }
      expect(await site.server.finish()).toEqual(KEPT);
    },
  );

  test.each([2, 3])("the compiled client opens no more streams than maxStreams, which is %d", async (maxStreams) => {
    await using site = await PeerSite.open("--max-streams", `${maxStreams}`);
    expect((await site.run("get", ...Object.keys(FILES))).exitCode).toBe(0);
    expect(await site.server.finish()).toEqual(KEPT);
    expect(site.server.events("asked").map(({ path }) => path)).toEqual(expect.arrayContaining(Object.keys(FILES)));
    expect(site.server.events("too many streams")).toEqual([]);
  });

  test("a missing file is exit 6, and leaves nothing", async () => {
    await using site = await PeerSite.open();
    const { exitCode, stderr } = await site.run("get", "missing");
    expect({ exitCode, fetched: site.fetched }).toEqual({ exitCode: 6, fetched: [] });
    expect(stderr).toContain('There is no "missing" here.');
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test("a message to the server comes back with ACK", async () => {
    await using site = await PeerSite.open();
    expect(await site.run("send", "grüße 🎉")).toEqual({ exitCode: 0, stdout: "grüße 🎉 ACK\n", stderr: "" });
    expect(await site.server.event("message")).toMatchObject({ from: "Client01", text: "grüße 🎉" });
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test.each(PEER_WIRES)(
    "over %s, a push reaches a compiled client, is acknowledged, and the sender hears of it",
    async (_, wire) => {
      await using site = await PeerSite.reached(await wire());
      await using shell = await site.shell();
      await shell.hearText("Connected as Client01");
      const { stdout } = await site.run("send", "--to", "client01", "--json", "hi 🎉");
      expect(JSON.parse(stdout)).toEqual({ text: "hi 🎉 ACK", delivered: ["Client01"], failed: [] });
      expect(await shell.hearText("hi")).toBe("Client02: hi 🎉");
      expect(await shell.finish()).toMatchObject({ exitCode: 0 });
      expect(await site.server.finish()).toEqual(KEPT);
    },
  );

  test("the compiled client answers pings while it is idle", async () => {
    await using site = await PeerSite.open("--heartbeat", "1");
    await using shell = await site.shell();
    for (const _ of [1, 2]) await site.server.event("pong");
    expect(await shell.finish()).toMatchObject({ exitCode: 0 });
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test.each(PEER_WIRES)(
    "over %s, GOAWAY SHUTDOWN ends the compiled client with the server's words",
    async (_, wire) => {
      await using site = await PeerSite.reached(await wire());
      await using shell = await site.shell("--reconnect", "0");
      await shell.hearText("Connected as Client01");
      site.server.say("shutdown");
      await site.server.event("left");
      const { exitCode, stderr } = await shell.ended();
      expect(exitCode).toBe(3);
      expect(stderr).toContain("The peer stops.");
      expect(await site.server.finish()).toEqual(KEPT);
    },
  );

  test("serves the compiled client over a Unix socket", async () => {
    using folder = new TempFolder();
    await using server = await PeerServer.start(folder.path, "--unix", folder.join("socket"));
    const { stdout } = await runClient(["send", "hello", "-s", `unix:${folder.join("socket")}`]);
    expect(stdout).toBe("hello ACK\n");
    expect(await server.finish()).toEqual(KEPT);
  });

  test("SERVER_FULL is exit 4 with the server's words", async () => {
    await using site = await PeerSite.open("--refuse", "Nobody fits in.");
    const { exitCode, stderr } = await site.run("status");
    expect(exitCode).toBe(4);
    expect(stderr).toContain("Nobody fits in.");
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test("with --wait the compiled client goes through the queue, without it it is refused", async () => {
    await using site = await PeerSite.open("--queue", "3");
    expect((await site.run("status")).exitCode).toBe(4);
    const { exitCode, stderr } = await site.run("status", "--wait");
    expect(exitCode).toBe(0);
    expect(stderr.match(/position \d/g)).toEqual(["position 3", "position 2", "position 1"]);
    expect(await site.server.finish()).toEqual(KEPT);
  });
});

/** What each lie breaks: as the compiled client tells the server, and as the Python client tells on stderr. */
const VIOLATIONS: [lie: string, code: number, name: string][] = [
  ["bad-magic", 1, "BAD_MAGIC"],
  ["unknown-opcode", 5, "UNKNOWN_OPCODE"],
  ["bad-flags", 3, "BAD_HEADER"],
  ["bad-reserved", 3, "BAD_HEADER"],
  ["ping-on-stream", 3, "BAD_HEADER"],
  ["data-on-session", 3, "BAD_HEADER"],
  ["large-data", 4, "FRAME_TOO_LARGE"],
  ["large-accept", 4, "FRAME_TOO_LARGE"],
  ["empty-data", 3, "BAD_HEADER"],
  ["second-welcome", 6, "UNEXPECTED_FRAME"],
  ["unasked-pong", 6, "UNEXPECTED_FRAME"],
  ["data-first", 6, "UNEXPECTED_FRAME"],
  ["end-first", 6, "UNEXPECTED_FRAME"],
  ["second-accept", 6, "UNEXPECTED_FRAME"],
  ["second-goaway", 6, "UNEXPECTED_FRAME"],
  ["never-opened", 8, "BAD_STREAM"],
  ["odd-open", 8, "BAD_STREAM"],
  ["same-open", 8, "BAD_STREAM"],
  ["zero-credit", 9, "CREDIT_EXCEEDED"],
  ["high-credit", 9, "CREDIT_EXCEEDED"],
  ["over-credit", 9, "CREDIT_EXCEEDED"],
  ["no-utf8", 7, "BAD_PAYLOAD"],
  ["byte-order-mark", 7, "BAD_PAYLOAD"],
  ["too-deep", 7, "BAD_PAYLOAD"],
  ["named-twice", 7, "BAD_PAYLOAD"],
  ["odd-number", 7, "BAD_PAYLOAD"],
  ["half-pair", 7, "BAD_PAYLOAD"],
  ["missing-member", 7, "BAD_PAYLOAD"],
  ["wrong-kind", 7, "BAD_PAYLOAD"],
];

describeInterop("the compiled client at a server that lies", () => {
  test("no-object: exit 3 and no file for an ACCEPT that is no object", async () => {
    await using site = await PeerSite.open("--lie", "no-object");
    expect(await site.run("get", "big.bin")).toMatchObject({ exitCode: 3, stdout: "" });
    expect(site.fetched).toEqual([]);
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test.each(VIOLATIONS)("%s: GOAWAY %d %s, exit 3 and no file", async (lie, code) => {
    await using site = await PeerSite.open("--lie", lie);
    expect(await site.run("get", "big.bin")).toMatchObject({ exitCode: 3, stdout: "" });
    expect(site.fetched).toEqual([]);
    expect(await site.server.event("goaway")).toMatchObject({ code });
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test.each(["garbage", "early-accept", "early-ping", "other-version", "no-credit"])(
    "%s in place of WELCOME: exit 3 with a reason",
    async (lie) => {
      await using site = await PeerSite.reached(await openTls(), "--lie", lie);
      const { exitCode, stderr } = await site.run("status");
      expect(exitCode).toBe(3);
      expect(stderr).toStartWith("commserver-client: ");
      expect(await site.server.finish()).toEqual(KEPT);
    },
  );
});

describeInterop("the Python peer is strict", () => {
  test.each([
    ...VIOLATIONS,
    ["no-object", 7, "BAD_PAYLOAD"],
    ["odd-offset", 7, "BAD_PAYLOAD"],
    ["far-offset", 7, "BAD_PAYLOAD"],
    ["other-id", 7, "BAD_PAYLOAD"],
    ["early-seal", 7, "BAD_PAYLOAD"],
    ["other-etag", 7, "BAD_PAYLOAD"],
    ["long", 7, "BAD_PAYLOAD"],
    ["short", 7, "BAD_PAYLOAD"],
    ["damaged-file", 48, "DIGEST_MISMATCH"],
    ["damaged-seal", 48, "DIGEST_MISMATCH"],
    ["second-file", 7, "BAD_PAYLOAD"],
    ["no-file", 7, "BAD_PAYLOAD"],
    ["no-size", 7, "BAD_PAYLOAD"],
    ["file-named-twice", 7, "BAD_PAYLOAD"],
    ["old-file", 7, "BAD_PAYLOAD"],
    ["file-no-json", 7, "BAD_PAYLOAD"],
    ["chunk-kind", 7, "BAD_PAYLOAD"],
    ["folder", 7, "BAD_PAYLOAD"],
    ["long-block", 7, "BAD_PAYLOAD"],
    ["short-block", 7, "BAD_PAYLOAD"],
    ["empty-block", 7, "BAD_PAYLOAD"],
    ["full-seal", 7, "BAD_PAYLOAD"],
    ["garbage", 1, "BAD_MAGIC"],
    ["early-accept", 6, "UNEXPECTED_FRAME"],
    ["early-ping", 6, "UNEXPECTED_FRAME"],
    ["unasked-queue", 6, "UNEXPECTED_FRAME"],
    ["other-version", 2, "UNSUPPORTED_VERSION"],
    ["no-credit", 7, "BAD_PAYLOAD"],
  ] as typeof VIOLATIONS)("as a client, %s ends it with exit 1 and the reason (%d %s)", async (lie, code, name) => {
    await using site = await PeerSite.reached([], "--lie", lie);
    const { exitCode, stderr } = await runPeer([site.server.address], ["get big.bin /dev/null"]);
    expect(exitCode).toBe(1);
    expect(stderr).toStartWith(`${name}: `);
    expect(await site.server.event("goaway")).toMatchObject({ code });
  });

  test.each([
    ["OPEN before HELLO", "UNEXPECTED_FRAME", [frame("OPEN", { method: "list" }, 1, 1)]],
    ["a large frame before WELCOME", "FRAME_TOO_LARGE", [frame("OPEN", Buffer.alloc(4097), 1, 1)]],
    ["HELLO without credit", "BAD_PAYLOAD", [frame("HELLO", { ...HELLO, credit: undefined })]],
    ["a second HELLO", "UNEXPECTED_FRAME", [frame("HELLO", HELLO), frame("HELLO", HELLO)]],
    ["OPEN with an even id", "BAD_STREAM", [frame("HELLO", HELLO), frame("OPEN", { method: "list" }, 2, 1)]],
    ["CREDIT for no stream", "BAD_STREAM", [frame("HELLO", HELLO), frame("CREDIT", Buffer.from([0, 0, 0, 1]), 1)]],
    ["a PONG unasked", "UNEXPECTED_FRAME", [frame("HELLO", HELLO), frame("PONG", Buffer.alloc(8))]],
    ["a frame cut off", "BAD_HEADER", [frame("HELLO", HELLO), frame("PING", Buffer.alloc(8)).subarray(0, 20)]],
  ])("as a server, %s ends it with exit 1 and %s", async (_, name, bytes) => {
    await using site = await PeerSite.reached([]);
    await using raw = await RawPeer.connect(Number(site.server.address.split(":")[1]));
    raw.send(...bytes);
    raw.halfClose();
    const { exitCode, stderr } = await site.server.ended();
    expect(exitCode).toBe(1);
    expect(stderr).toStartWith(`${name}: `);
  });
});
