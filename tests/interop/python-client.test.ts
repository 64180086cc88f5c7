import { expect, test } from "bun:test";
import { join } from "node:path";
import { readTable } from "../support/protocol-page.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { client, describeInterop, KEPT, LineProcess, noise, peer, runPeer } from "./peer.ts";
import { buildFirst, CompiledSite, startCompiled, WIRES } from "./site.ts";

const FILES = {
  "a.txt": "abc",
  empty: "",
  "big.bin": noise(3_000_001),
  "docs/two words.txt": "two",
  "docs/grüße 🎉.bin": noise(70_001),
};
const ENTRIES = [
  { path: "a.txt", kind: "file", size: 3 },
  { path: "big.bin", kind: "file", size: 3_000_001 },
  { path: "docs", kind: "folder", size: 0 },
  { path: "docs/grüße 🎉.bin", kind: "file", size: 70_001 },
  { path: "docs/two words.txt", kind: "file", size: 3 },
  { path: "empty", kind: "file", size: 0 },
];
const digest = (content: string | Uint8Array) => new Bun.CryptoHasher("sha256").update(content).digest("hex");

/** A compiled server with FILES, and a folder to fetch them to. */
class FilesSite extends CompiledSite {
  static async open(...options: string[]): Promise<FilesSite> {
    const folder = new TempFolder();
    writeTree(folder.join("repository"), FILES);
    return new FilesSite(folder, await startCompiled(folder.join("repository"), options));
  }
}

buildFirst();

describeInterop("a Python client from PROTOCOL.md alone", () => {
  test("reads every vector of the page and writes the same bytes", async () => {
    await using process = new LineProcess(peer("vectors", join(import.meta.dir, "../../PROTOCOL.md")));
    expect(await process.ended()).toEqual(KEPT);
    const [{ valid, all, chunks, payloads, patterns }] = process.events("vectors") as [Record<string, number>];
    expect(chunks).toBe(7);
    const rows = [...readTable("pattern", "matches", "does not match"), ...readTable("refused", "answer", "because")];
    expect(patterns).toBe(rows.length);
    expect(payloads).toBe(readTable("payload of END", "answer").length);
    expect(valid).toBeGreaterThan(10);
    expect(all).toBeGreaterThan(valid as number);
  });

  test.each(WIRES)("over %s, gets status, list and stat of the shape that the page gives them", async (_, wire) => {
    await using site = await FilesSite.open(...wire);
    const lines = ["status", "list", "list docs", "list '**/*.txt'", "stat 'docs/grüße 🎉.bin'", "stat docs"];
    const { events, ...rest } = await site.run([], lines);
    expect(rest).toEqual(KEPT);
    const [welcome, status, all, docs, texts, file, folder, closed] = events as [
      any,
      any,
      any,
      any,
      any,
      any,
      any,
      any,
    ];
    expect(welcome).toMatchObject({ event: "welcome", version: 1, role: wire.includes("--open") ? "read" : "write" });
    expect(status).toMatchObject({ self: { name: welcome.name }, seats: { max: 3, taken: 1 }, total: 1, next: null });
    expect(status.sessions).toMatchObject([{ name: welcome.name, endedAt: null, reason: null }]);
    const byPath = (one: any, other: any) => (one.path < other.path ? -1 : 1);
    expect(all.entries.toSorted(byPath)).toMatchObject(ENTRIES);
    expect(docs.entries.toSorted(byPath)).toMatchObject(ENTRIES.slice(3, 5));
    expect(texts.entries.toSorted(byPath)).toMatchObject([ENTRIES[0], ENTRIES[4]]);
    expect(file).toMatchObject(ENTRIES[3] as object);
    expect(folder).toMatchObject(ENTRIES[2] as object);
    expect(closed.event).toBe("closed");
  });

  test("pages through the sessions with before and next", async () => {
    await using site = await FilesSite.open();
    for (const _ of [1, 2]) await site.run([], ["ping"]);
    const { events } = await site.run([], [`status '{"limit":2}'`]);
    const [first] = events.filter(({ event }) => event === "result") as [any];
    expect(first.sessions).toHaveLength(2);
    const second = await site.run([], [`status '{"limit":2,"before":${first.next}}'`]);
    const [rest] = second.events.filter(({ event }) => event === "result") as [any];
    expect(rest.sessions).toHaveLength(1);
    expect(rest.next).toBeNull();
    expect(new Set([...first.sessions, ...rest.sessions].map(({ name }) => name)).size).toBe(3);
  });

  test.each([
    ["the usual credit", [], "--plaintext"],
    ["a small credit that is often granted", ["--credit", "1000", "--window", "65537"], "--plaintext"],
    ["no credit at first", ["--credit", "0"], "--plaintext"],
    ["the largest credit", ["--credit", "2147483647"], "--plaintext"],
    ["a small credit, over TLS", ["--credit", "1000", "--window", "65537"], "--open"],
    ["the largest credit, over TLS", ["--credit", "2147483647"], "--open"],
  ])("gets files side by side, whole and verified, with %s", async (_, options, wire) => {
    await using site = await FilesSite.open(wire);
    const paths = Object.keys(FILES) as (keyof typeof FILES)[];
    const pairs = paths.map((path, index) => `'${path}' got${index}`);
    const { events, ...rest } = await site.run(options, [`each ${pairs.join(" ")}`]);
    expect(rest).toEqual(KEPT);
    for (const [index, path] of paths.entries()) {
      const sha256 = digest(FILES[path]);
      expect(events).toContainEqual(expect.objectContaining({ event: "got", path, size: FILES[path].length, sha256 }));
      expect(digest(await Bun.file(site.folder.join(`got${index}`)).bytes())).toBe(sha256);
    }
  });

  test.each(WIRES)("over %s, a body stops exactly where its credit does, and holds back no other", async (_, wire) => {
    await using site = await FilesSite.open(...wire);
    const lines = ["starve big.bin 2", "get docs/two\\ words.txt small", "message hello", "feed"];
    const { events, ...rest } = await site.run(["--credit", "50001"], lines);
    expect(rest).toEqual(KEPT);
    const kinds = events.map(({ event }) => event).filter((kind) => kind !== "pong");
    expect(kinds).toEqual(["welcome", "starved", "got", "ended", "result", "got", "got", "closed"]);
    expect(events[1]).toEqual({ event: "starved", sizes: [50_001, 50_001], resets: [] });
    expect(events.findLast(({ event }) => event === "got")).toMatchObject({ sha256: digest(FILES["big.bin"]) });
  });

  test("END takes no credit: a body as long as its credit ends without a grant", async () => {
    await using site = await FilesSite.open();
    const [ended] = (await site.run([], ["get big.bin /dev/null"])).events.filter(({ event }) => event === "ended");
    const options = ["--credit", `${ended?.["body"]}`, "--window", "0"];
    const { events, ...rest } = await site.run(options, ["starve big.bin", "feed"]);
    expect(rest).toEqual(KEPT);
    expect(events).toContainEqual(expect.objectContaining({ event: "got", sha256: digest(FILES["big.bin"]) }));
  });

  test("a cancelled get leaves the session as it was", async () => {
    await using site = await FilesSite.open();
    const { events, ...rest } = await site.run([], ["starve big.bin", "cancel", "ping", "get a.txt again"]);
    expect(rest).toEqual(KEPT);
    expect(events).toContainEqual(expect.objectContaining({ event: "got", path: "a.txt", size: 3 }));
  });

  test("streams above maxStreams get TOO_MANY_STREAMS, and the others go on", async () => {
    await using site = await FilesSite.open();
    await using process = site.peer("--credit", "0");
    const { maxStreams } = await process.event("welcome");
    process.say(`starve a.txt ${maxStreams + 2}`);
    const starved = await process.event("starved");
    expect(starved["sizes"]).toHaveLength(maxStreams);
    expect(starved["resets"]).toEqual([44, 44]);
    process.say("feed");
    expect(await process.finish()).toEqual(KEPT);
    expect(process.events("got")).toHaveLength(maxStreams);
  });

  test("what cannot be is answered with the RESET of the page, and the session goes on", async () => {
    const codes = {
      "call nope": 32,
      "call stat": 33,
      [`call list '{"glob":5}'`]: 33,
      [`call status '{"limit":129}'`]: 33,
      [`call message '{"text":""}'`]: 33,
      "stat missing": 34,
      "get docs/missing target": 34,
      "stat ../a.txt": 35,
      "get docs/../../a.txt target": 35,
      "get /etc/hosts target": 35,
      "stat C:a.txt": 35,
      "stat 'docs\\two words.txt'": 35,
      [`call stat '{"path":"a\\u0000"}'`]: 35,
      [`stat ${"x".repeat(256)}`]: 35,
      "get docs target": 36,
      [`call digest '{"path":"docs"}'`]: 36,
      [`call digest '{"path":"missing"}'`]: 34,
      [`call remove '{"path":"a.txt"}'`]: 37,
      [`call rename '{"from":"a.txt","to":"b.txt"}'`]: 37,
      "put overwrite a.txt /etc/hosts": 37,
      [`call kick '{"name":"Client01"}'`]: 37,
      "call quit": 37,
      "call unfinished": 37,
      "message hello Nobody": 42,
    };
    await using site = await FilesSite.open();
    const lines = Object.keys(codes);
    const { events, ...rest } = await site.run([], [...lines, "message still"]);
    expect(rest).toEqual(KEPT);
    const resets = events.filter(({ event }) => event === "reset" || event === "failed").map(({ code }) => code);
    expect(Object.fromEntries(lines.map((line, index) => [line, resets[index]]))).toEqual(codes);
    expect(events.at(-2)).toMatchObject({ event: "result", text: "still ACK" });
    expect(await Bun.file(site.folder.join("target")).exists()).toBe(false);
  });

  test("a message counts in UTF-16 units, 8192 at most", async () => {
    await using site = await FilesSite.open();
    const { events, ...rest } = await site.run([], [`message ${"🎉".repeat(4096)}`, `message ${"🎉".repeat(4096)}x`]);
    expect(rest).toEqual(KEPT);
    expect(events.slice(1, 3)).toMatchObject([{ text: `${"🎉".repeat(4096)} ACK` }, { event: "reset", code: 33 }]);
    expect(await site.server.event("message")).toMatchObject({ text: "🎉".repeat(4096) });
  });

  test.each(WIRES)("over %s, talks with a compiled client in both directions", async (_, wire) => {
    await using site = await FilesSite.open(...wire);
    await using shell = new LineProcess(await client("shell", ...site.compiledFlags));
    await shell.hearText("Connected as Client01");
    await using process = site.peer();
    const { name } = await process.event("welcome");
    process.say("message 'grüße 🎉' client01");
    expect(await process.event("result")).toMatchObject({ text: "grüße 🎉 ACK", delivered: ["Client01"], failed: [] });
    expect(await shell.hearText("grüße")).toBe(`${name}: grüße 🎉`);
    shell.say(`@${name} and back`);
    expect(await process.event("message")).toEqual({
      event: "message",
      from: "Client01",
      token: "local",
      to: name,
      text: "and back",
    });
    process.say("message 'to everyone' all");
    expect(await process.event("result")).toMatchObject({ delivered: ["Client01"], failed: [] });
    expect(await process.finish()).toEqual(KEPT);
    expect(await shell.finish()).toMatchObject({ exitCode: 0 });
  });

  test("a compiled client hears when a peer does not take its message", async () => {
    await using site = await FilesSite.open();
    await using process = site.peer("--deaf");
    const { name } = await process.event("welcome");
    const { exitCode, stderr } = await site.compiled("send", "--to", name, "hello");
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain(name);
    const all = await site.compiled("send", "--to", "all", "hello", "--json");
    expect(JSON.parse(all.stdout)).toMatchObject({ delivered: [], failed: [{ name, message: expect.any(String) }] });
    expect(await process.finish()).toEqual(KEPT);
  });

  test.each(WIRES)("over %s, is refused with the server's own words when it is full", async (_, wire) => {
    await using site = await FilesSite.open(...wire, "--max-clients", "1");
    await using process = site.peer();
    await process.event("welcome");
    const { events, exitCode } = await site.run([], []);
    expect(exitCode).toBe(3);
    expect(events).toEqual([{ event: "refused", code: 12, message: "Server is full. Please try again later." }]);
  });

  test("waits its turn in the queue, in order of arrival, and answers to no other name", async () => {
    await using site = await FilesSite.open("--max-clients", "1", "--max-waiting", "3");
    await using holder = site.peer();
    const names = [(await holder.event("welcome"))["name"]];
    await using first = site.peer("--wait");
    expect(await first.event("queued")).toMatchObject({ position: 1 });
    await using second = site.peer("--wait", "--heartbeat", "1");
    expect(await second.event("queued")).toMatchObject({ position: 2 });
    await second.event("pong");
    await using third = site.peer("--wait");
    expect(await third.event("queued")).toMatchObject({ position: 3 });
    expect((await site.run(["--wait"], [])).events).toMatchObject([{ event: "refused", code: 12 }]);
    expect(await holder.finish()).toEqual(KEPT);
    for (const process of [first, second, third]) {
      names.push((await process.event("welcome"))["name"]);
      expect(await process.finish()).toEqual(KEPT);
    }
    expect(second.events("queued").map(({ position }) => position)).toEqual([2, 1]);
    expect(third.events("queued").map(({ position }) => position)).toEqual([3, 2, 1]);
    expect(new Set(names).size).toBe(4);
  });

  test("is refused with the server's versions when it speaks none of them", async () => {
    await using site = await FilesSite.open();
    const { events, exitCode } = await site.run(["--versions", "2", "9"], []);
    expect(exitCode).toBe(3);
    const message = "The client speaks version 2 to 9, this server 1.";
    expect(events).toEqual([{ event: "refused", code: 2, message, versions: { min: 1, max: 1 } }]);
    const both = await site.run(["--versions", "0", "9"], []);
    expect(both.events[0]).toMatchObject({ event: "welcome", version: 1 });
  });

  test("has its pings answered while nothing else happens", async () => {
    await using site = await FilesSite.open();
    await using process = site.peer("--heartbeat", "1");
    for (const _ of [1, 2]) await process.event("pong");
    expect(await process.finish()).toEqual(KEPT);
  });

  test.each(WIRES)("over %s, gets GOAWAY SHUTDOWN, and its transfer under way to the end", async (_, wire) => {
    await using site = await FilesSite.open(...wire);
    await using process = site.peer();
    process.say("starve big.bin");
    await process.event("starved");
    site.server.signal("SIGTERM");
    expect(await process.event("goaway")).toMatchObject({ code: 13 });
    process.say("feed");
    expect(await process.event("got")).toMatchObject({ sha256: digest(FILES["big.bin"]) });
    expect(await process.ended()).toEqual(KEPT);
    expect(await site.server.exited()).toBe(0);
  });

  test("is an operator by the Unix socket, and kicks and drains", async () => {
    await using site = await FilesSite.open();
    await using kicked = site.peer();
    const { name } = await kicked.event("welcome");
    const socket = `unix:${join(site.server.stateDir, "operator.sock")}`;
    const lines = [`call kick '{"name":"${name}","reason":"noise"}'`, `call drain '{"on":true}'`];
    const { events, ...rest } = await runPeer([socket], lines);
    expect(rest).toEqual(KEPT);
    expect(events).toMatchObject([
      { event: "welcome", role: "operator" },
      { event: "result", method: "kick", name },
      { event: "result", method: "drain" },
      { event: "closed" },
    ]);
    expect(await kicked.event("goaway")).toMatchObject({ code: 14, message: expect.stringContaining("noise") });
    expect(await kicked.ended()).toEqual(KEPT);
    expect((await site.run([], [])).events).toMatchObject([{ event: "refused", code: 13 }]);
  });
});
