import { expect, test } from "bun:test";
import { chmodSync, statSync, utimesSync } from "node:fs";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { describeInterop, KEPT, noise, type PeerEvent } from "./peer.ts";
import { buildFirst, CompiledSite, startCompiled, WIRES } from "./site.ts";

const BLOCK = 1_048_576;
const BIG = noise(2_306_867);
const FILES = { "a.txt": "abc", "big.bin": BIG, empty: "", "docs/b.txt": "b" };
const OWN = { small: "small", other: "another", big: noise(2_306_868), none: "", block: noise(BLOCK) };
const ALL = [[0, OWN.big.length]];
const digest = (content: string | Uint8Array) => new Bun.CryptoHasher("sha256").update(content).digest("hex");
const only = (events: PeerEvent[], ...kinds: string[]) => events.filter(({ event }) => kinds.includes(event));

/** A compiled server that is writable, and a folder with OWN to send from. */
class FilesSite extends CompiledSite {
  static async open(...options: string[]): Promise<FilesSite> {
    const folder = new TempFolder();
    writeTree(folder.join("repository"), FILES);
    writeTree(folder.path, OWN);
    const server = await startCompiled(folder.join("repository"), ["--writable", ...options]);
    return new FilesSite(folder, server);
  }

  stored(path: string) {
    return Bun.file(this.folder.join("repository", path));
  }
}

buildFirst();

describeInterop("a Python client gets from the compiled server", () => {
  test.each(WIRES)("over %s, several files in one stream, in turn; what fails stops no other", async (_, wire) => {
    await using site = await FilesSite.open(...wire);
    const { events, ...rest } = await site.run([], ["get a.txt g1 docs g2 big.bin g3 missing g4 empty g5"]);
    expect(rest).toEqual(KEPT);
    expect(only(events, "got", "failed", "ended")).toMatchObject([
      { path: "a.txt", bytes: 3, sha256: digest("abc") },
      { path: "docs", code: 36 },
      { path: "big.bin", bytes: BIG.length, sha256: digest(BIG) },
      { path: "missing", code: 34 },
      { path: "empty", bytes: 0 },
      { event: "ended" },
    ]);
    expect(digest(await Bun.file(site.folder.join("g3")).bytes())).toBe(digest(BIG));
    expect(await Bun.file(site.folder.join("g2")).exists()).toBe(false);
  });

  test.each([
    [{ offset: BLOCK }, BIG.subarray(BLOCK)],
    [{ offset: BLOCK, length: BLOCK }, BIG.subarray(BLOCK, 2 * BLOCK)],
    [{ offset: BLOCK, length: BLOCK + 5 }, BIG.subarray(BLOCK, 2 * BLOCK + 5)],
    [{ offset: 2 * BLOCK, length: 10 * BLOCK }, BIG.subarray(2 * BLOCK)],
    [{ length: 1 }, BIG.subarray(0, 1)],
    [{ length: 0 }, BIG.subarray(0, 0)],
  ])("the part %j, with the facts of the whole", async (part, bytes) => {
    await using site = await FilesSite.open();
    const { events, ...rest } = await site.run([], [`ask '${JSON.stringify({ path: "big.bin", ...part })}'`]);
    expect(rest).toEqual(KEPT);
    const [got] = only(events, "got");
    expect(got).toMatchObject({ size: BIG.length, executable: false, bytes: bytes.length, sha256: digest(bytes) });
  });

  test("what cannot be asked for is FAIL: an offset above the size or of no block, another etag", async () => {
    await using site = await FilesSite.open();
    const asked = [
      { path: "big.bin", offset: 3 * BLOCK },
      { path: "a.txt", offset: 5 },
      { path: "a.txt", etag: "nothing" },
      { path: "../a.txt" },
    ];
    const { events, ...rest } = await site.run([], [`ask ${asked.map((one) => `'${JSON.stringify(one)}'`).join(" ")}`]);
    expect(rest).toEqual(KEPT);
    expect(only(events, "failed").map(({ code }) => code)).toEqual([33, 33, 40, 35]);
    expect(only(events, "ended")).toHaveLength(1);
  });

  test("an etag holds while the file does, and a change makes it CHANGED", async () => {
    await using site = await FilesSite.open();
    const first = await site.run([], [`call stat '{"path":"a.txt"}'`]);
    const { etag } = only(first.events, "result")[0] as PeerEvent;
    const line = `ask '${JSON.stringify({ path: "a.txt", etag })}'`;
    expect(only((await site.run([], [line])).events, "got")).toMatchObject([{ bytes: 3, etag }]);
    await Bun.write(site.stored("a.txt"), "xyz");
    expect(only((await site.run([], [line])).events, "failed")).toMatchObject([{ code: 40 }]);
  });

  test("a file that changes while it is sent is CHANGED", async () => {
    await using site = await FilesSite.open();
    await using process = site.peer("--credit", "100000");
    process.say("starve big.bin");
    await process.event("starved");
    const other = noise(BIG.length).fill(1);
    await Bun.write(site.stored("big.bin"), other);
    utimesSync(site.folder.join("repository/big.bin"), 1_600_000_000, 1_600_000_000);
    process.say("feed");
    expect(await process.event("failed")).toMatchObject({ path: "big.bin", code: 40 });
    expect(await process.finish()).toEqual(KEPT);
  });

  test("digest has the facts and the SHA-256; stat the same facts", async () => {
    await using site = await FilesSite.open();
    chmodSync(site.folder.join("repository/big.bin"), 0o755);
    const lines = [`call digest '{"path":"big.bin"}'`, `call stat '{"path":"big.bin"}'`];
    const [sum, stat] = only((await site.run([], lines)).events, "result") as [PeerEvent, PeerEvent];
    const { size, modifiedAt, executable, etag } = stat;
    expect(sum).toMatchObject({ size, modifiedAt, executable, etag, sha256: digest(BIG) });
    expect(executable).toBe(true);
  });
});

describeInterop("the rights of files and folders", () => {
  const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8);

  test("a Python client is told them, and its file is made with them", async () => {
    await using site = await FilesSite.open();
    const repository = site.folder.join("repository");
    chmodSync(`${repository}/docs`, 0o2750);
    chmodSync(`${repository}/a.txt`, 0o4600);
    const lines = [
      `call stat '{"path":"docs"}'`,
      `call stat '{"path":"a.txt"}'`,
      `call digest '{"path":"a.txt"}'`,
      "list",
    ];
    const { events, ...rest } = await site.run([], [...lines, "get a.txt private"]);
    expect(rest).toEqual(KEPT);
    expect(only(events, "result").map(({ mode }) => mode)).toEqual([0o750, 0o600, 0o600]);
    const listed = only(events, "listed")[0]?.["entries"].map(({ path, mode }: PeerEvent) => [path, mode]);
    expect(listed).toEqual([
      ["a.txt", undefined],
      ["big.bin", undefined],
      ["docs", 0o750],
      ["docs/b.txt", undefined],
      ["empty", undefined],
    ]);
    expect(only(events, "got")).toMatchObject([{ mode: 0o600 }]);
    expect(modeOf(site.folder.join("private"))).toBe("600");
  });

  test("what a Python client puts has them, less what the server keeps for itself", async () => {
    await using site = await FilesSite.open();
    for (const [name, mode] of [
      ["small", 0o600],
      ["big", 0o640],
      ["none", 0o111],
    ] as const)
      chmodSync(site.folder.join(name), mode);
    const puts = ["folder closed 0500", "folder shared 0750", "put fail closed/small small shared/big big none none"];
    const { events, ...rest } = await site.run(["--modes"], puts);
    expect(rest).toEqual(KEPT);
    expect(only(events, "done")).toHaveLength(5);
    const modes = ["closed", "shared", "closed/small", "shared/big", "none"].map((path) =>
      modeOf(site.folder.join("repository", path)),
    );
    expect(modes).toEqual(["700", "750", "600", "640", "511"]);
  });

  test("an invalid mode is BAD_PAYLOAD", async () => {
    await using site = await FilesSite.open();
    const { events } = await site.run([], ["folder docs 7777", "done"]);
    expect(only(events, "reset")).toMatchObject([{ code: 7 }]);
  });
});

describeInterop("a Python client puts to the compiled server", () => {
  test.each([
    ["the usual credit", []],
    ["a credit that is often granted", ["--credit", "1000", "--window", "1000"]],
  ])("small files at once, large ones when it is ready, folders; with %s", async (_, options) => {
    await using site = await FilesSite.open();
    chmodSync(site.folder.join("big"), 0o755);
    const pairs = "up/small small up/deep/big big 'up/grüße 🎉' other none none block block";
    const { events, ...rest } = await site.run(options, ["folder up/void", "done", `put fail ${pairs}`]);
    expect(rest).toEqual(KEPT);
    expect(only(events, "ready")).toMatchObject([{ asked: "up/deep/big", ranges: ALL }]);
    const done = only(events, "done");
    expect(done.every(({ path, asked, outcome }) => path === asked && outcome === "stored")).toBe(true);
    expect(done).toHaveLength(6);
    const sent = { "up/small": "small", "up/deep/big": "big", "up/grüße 🎉": "other", none: "none", block: "block" };
    for (const [path, own] of Object.entries(sent)) {
      expect(digest(await site.stored(path).bytes())).toBe(digest(OWN[own as keyof typeof OWN]));
      const [from, to] = [statSync(site.folder.join(own)), statSync(site.folder.join("repository", path))];
      expect(Math.floor(to.mtimeMs)).toBe(Math.floor(from.mtimeMs));
      expect(to.mode & 0o100).toBe(from.mode & 0o100);
    }
    expect(statSync(site.folder.join("repository/up/void")).isDirectory()).toBe(true);
    expect(await site.server.event("stored", { path: "up/deep/big" })).toMatchObject({ size: OWN.big.length });
  });

  test.each([
    ["fail", { event: "failed", code: 45 }, "abc"],
    ["skip", { event: "done", outcome: "skipped" }, "abc"],
    ["overwrite", { event: "done", outcome: "stored", path: "a.txt" }, "small"],
    ["rename", { event: "done", outcome: "stored", path: expect.not.stringMatching(/^a\.txt$/) }, "abc"],
  ])("exists %s", async (exists, answer, there) => {
    await using site = await FilesSite.open();
    const { events, ...rest } = await site.run([], [`put ${exists} a.txt small`, `put ${exists} docs small`]);
    expect(rest).toEqual(KEPT);
    const [file] = only(events, "done", "failed") as [PeerEvent];
    const path = `${file["path"]}`;
    expect(file).toMatchObject(answer);
    expect(await site.stored("a.txt").text()).toBe(there);
    if (exists === "rename") expect(await site.stored(path).text()).toBe("small");
    expect(statSync(site.folder.join("repository/docs")).isDirectory()).toBe(true);
  });

  test("a file of the same size and time is unchanged", async () => {
    await using site = await FilesSite.open();
    const lines = ["put fail x small y big", "put skip x small y big", "put overwrite x small y big"];
    const { events, ...rest } = await site.run([], lines);
    expect(rest).toEqual(KEPT);
    const outcomes = only(events, "done").map(({ asked, outcome }) => `${asked} ${outcome}`);
    expect(outcomes.slice(0, 2).sort()).toEqual(["x stored", "y stored"]);
    expect(outcomes.slice(2).sort()).toEqual(["x unchanged", "x unchanged", "y unchanged", "y unchanged"]);
    expect(only(events, "ready")).toHaveLength(1);
  });

  test("after a cut the same file is ready for the missing ranges alone, for the same name", async () => {
    await using site = await FilesSite.open();
    const lines = ["offer up big", `blocks up ${BLOCK} ${2 * BLOCK}`, "seal up", "drop", "return", "put fail up big"];
    const { events, ...rest } = await site.run(["--resume", "--"], lines);
    expect(rest).toEqual(KEPT);
    const missing = [
      [0, BLOCK],
      [2 * BLOCK, OWN.big.length],
    ];
    expect(only(events, "ready").map(({ ranges }) => ranges)).toEqual([ALL, missing, missing]);
    expect(only(events, "done")).toMatchObject([{ path: "up", outcome: "stored" }]);
    expect(digest(await site.stored("up").bytes())).toBe(digest(OWN.big));
    const [first, second] = only(events, "welcome") as [PeerEvent, PeerEvent];
    expect(second["name"]).toBe(first["name"]);
  });

  test("verified blocks count only for the same facts: another file at the path starts from the beginning", async () => {
    await using site = await FilesSite.open();
    const lines = ["offer up big", `blocks up 0 ${BLOCK}`, "seal up", "drop", "return"];
    await using process = site.peer("--resume", "--");
    for (const line of lines) process.say(line);
    await process.event("dropped");
    await process.event("welcome");
    utimesSync(site.folder.join("big"), 1_600_000_000, 1_600_000_000);
    process.say("put fail up big");
    expect(await process.event("ready")).toMatchObject({ ranges: ALL });
    expect(await process.event("done")).toMatchObject({ outcome: "stored" });
    expect(await process.finish()).toEqual(KEPT);
  });

  test("a damaged block is asked for again at SEAL, and the file ends right", async () => {
    await using site = await FilesSite.open();
    const end = OWN.big.length;
    const lines = [
      "offer up big",
      `blocks up 0 ${BLOCK}`,
      `blocks up ${BLOCK} ${2 * BLOCK} 1`,
      `blocks up ${2 * BLOCK} ${end}`,
      "seal up",
      `blocks up ${BLOCK} ${2 * BLOCK}`,
      "seal up",
      "done",
    ];
    const { events, ...rest } = await site.run([], lines);
    expect(rest).toEqual(KEPT);
    expect(only(events, "ready").map(({ ranges }) => ranges)).toEqual([ALL, [[BLOCK, 2 * BLOCK]]]);
    expect(only(events, "done")).toMatchObject([{ path: "up", outcome: "stored" }]);
    expect(digest(await site.stored("up").bytes())).toBe(digest(OWN.big));
  });

  test("a damaged small file is asked for again", async () => {
    await using site = await FilesSite.open();
    const { events, ...rest } = await site.run([], ["damaged up small", "blocks up 0 5", "seal up", "done"]);
    expect(rest).toEqual(KEPT);
    expect(only(events, "ready").at(-1)).toMatchObject({ ranges: [[0, 5]] });
    expect(only(events, "done")).toMatchObject([{ outcome: "stored" }]);
    expect(await site.stored("up").text()).toBe("small");
  });

  test("after FAIL of the client nothing is answered or left, and the path is free", async () => {
    await using site = await FilesSite.open();
    const lines = ["offer up big", "blocks up 0 2306868", "fail up", "ping", "done", `call stat '{"path":"up"}'`];
    const { events, ...rest } = await site.run([], [...lines, "put fail up big"]);
    expect(rest).toEqual(KEPT);
    expect(only(events, "ready", "done", "reset")).toMatchObject([
      { event: "ready" },
      { event: "reset", method: "stat", code: 34 },
      { event: "ready" },
      { event: "done", outcome: "stored" },
    ]);
  });

  test("the same path twice is BUSY, until the first is over", async () => {
    await using site = await FilesSite.open();
    const { events, ...rest } = await site.run([], ["offer up big", "offer up big", "fail up", "put fail up big"]);
    expect(rest).toEqual(KEPT);
    const answers = only(events, "ready", "failed", "done").map(({ event, code }) => code ?? event);
    expect(answers).toEqual(["ready", 46, "ready", "done"]);
  });

  test("eight large files are under way at once, and a ninth fails alone", async () => {
    await using site = await FilesSite.open();
    const paths = Array.from({ length: 9 }, (_, index) => `up${index}`);
    const { events, ...rest } = await site.run([], [...paths.map((path) => `offer ${path} big`), "fail up0"]);
    expect(rest).toEqual(KEPT);
    expect(only(events, "ready", "failed").map(({ event }) => event)).toEqual([...Array(8).fill("ready"), "failed"]);
  });

  test("invalid paths are FAILed one by one", async () => {
    await using site = await FilesSite.open();
    const bad = ["../up", "/up", "up//up", "./up", "C:up", "x".repeat(256)];
    const pairs = bad.map((path) => `'${path}' small`).join(" ");
    const { events, ...rest } = await site.run([], [`put overwrite ${pairs} good small`, "folder ../up", "done"]);
    expect(rest).toEqual(KEPT);
    expect(only(events, "failed").map(({ code }) => code)).toEqual([35, 35, 35, 35, 35, 35, 35]);
    expect(only(events, "done")).toMatchObject([{ path: "good" }]);
  });

  test("names of unfinished files are not taken, and not listed", async () => {
    await using site = await FilesSite.open();
    await Bun.write(site.stored("old.commserver-part"), "x");
    const lines = ["put fail up.commserver-part small x.commserver-journal small", "offer up big", "list"];
    const { events, ...rest } = await site.run([], [...lines, "get old.commserver-part target"]);
    expect(rest).toEqual(KEPT);
    expect(only(events, "done", "got")).toEqual([]);
    expect(only(events, "failed")).toHaveLength(3);
    const [{ entries }] = only(events, "listed") as [PeerEvent];
    expect(entries.filter(({ path }: PeerEvent) => path.includes("commserver-"))).toEqual([]);
  });

  test.each([
    ["kind", 7],
    ["kind-0", 7],
    ["offset", 7],
    ["file-offset", 7],
    ["empty-block", 7],
    ["long-file", 7],
    ["long-block", 7],
    ["sealed-bytes", 7],
    ["no-json", 7],
    ["damaged-file", 48],
    ["damaged-seal", 48],
    ["no-facts", 7],
    ["no-etag", 7],
    ["no-executable", 7],
    ["old-file", 7],
    ["twice-named", 7],
    ["short-block", 7],
    ["far-block", 7],
    ["second-file", 7],
    ["lower-file", 7],
    ["folder-of-file", 7],
    ["unknown-block", 7],
    ["unknown-seal", 7],
    ["unknown-fail", 7],
    ["wordless-fail", 7],
  ])("the chunk lie %s ends the stream with %d, and not the session", async (lie, code) => {
    await using site = await FilesSite.open();
    const { events, ...rest } = await site.run([], [`lie ${lie}`, `call stat '{"path":"lie"}'`, "put fail up small"]);
    expect(rest).toEqual(KEPT);
    expect(only(events, "reset", "failed", "done")).toMatchObject([
      { event: "reset", method: "put", code },
      { event: "reset", method: "stat", code: 34 },
      { event: "done", path: "up" },
    ]);
  });

  test("a file that is damaged again and again ends with DIGEST_MISMATCH", async () => {
    await using site = await FilesSite.open();
    const { events, ...rest } = await site.run([], ["damaging up small", "done"]);
    expect(rest).toEqual(KEPT);
    expect(only(events, "failed")).toMatchObject([{ path: "up", code: 48 }]);
    expect(await site.stored("up").exists()).toBe(false);
  });

  test("removes, renames, and reports it to watchers", async () => {
    await using site = await FilesSite.open();
    await using watcher = site.peer();
    watcher.say("watch");
    await watcher.event("watching");
    await using filtered = site.peer();
    filtered.say("watch 'b/**'");
    await filtered.event("watching");
    await using process = site.peer();
    const change = async (line: string, told: object) => {
      process.say(line);
      expect(await watcher.hear((text) => matches(JSON.parse(text), told))).toBeDefined();
    };
    await change("put fail b/first small", { change: "added", path: "b", kind: "folder" });
    await change("put fail b/small small", { change: "added", path: "b/small", kind: "file", size: 5 });
    await change("put overwrite b/small other", { change: "changed", path: "b/small", kind: "file", size: 7 });
    await change(`call rename '{"from":"b/small","to":"c/d"}'`, { change: "added", path: "c", kind: "folder" });
    await change(`call rename '{"from":"c/d","to":"a.txt","overwrite":true}'`, { change: "removed", path: "c/d" });
    await change(`call remove '{"path":"docs","recursive":true}'`, { change: "removed", path: "docs" });
    const below = filtered.events("change").map(({ path }) => path);
    // The folder may have been looked at before or after its first file.
    expect(new Set(below.filter((path) => path !== "b/first"))).toEqual(new Set(["b", "b/small"]));
    for (const one of [process, watcher, filtered]) expect(await one.finish()).toEqual(KEPT);
    expect(await site.server.event("renamed")).toMatchObject({ from: "b/small", to: "c/d" });
    expect(await site.server.event("removed")).toMatchObject({ path: "docs" });
  });

  test("remove and rename refuse what would lose something", async () => {
    await using site = await FilesSite.open();
    const codes = {
      [`call remove '{"path":"docs"}'`]: 49,
      [`call remove '{"path":"missing"}'`]: 34,
      [`call remove '{"path":"../repository"}'`]: 35,
      [`call remove '{}'`]: 33,
      [`call rename '{"from":"a.txt","to":"big.bin"}'`]: 45,
      [`call rename '{"from":"a.txt","to":"docs","overwrite":true}'`]: 45,
      [`call rename '{"from":"docs","to":"a.txt","overwrite":true}'`]: 45,
      [`call rename '{"from":"missing","to":"x"}'`]: 34,
      [`call rename '{"from":"a.txt","to":"../x"}'`]: 35,
    };
    const { events, ...rest } = await site.run([], Object.keys(codes));
    expect(rest).toEqual(KEPT);
    const resets = only(events, "reset").map(({ code }) => code);
    expect(resets).toEqual(Object.values(codes));
    for (const [path, content] of Object.entries(FILES))
      expect(digest(await site.stored(path).bytes())).toBe(digest(content));
  });
});

describeInterop("a Python client that comes back", () => {
  test("has its name and its seat, ahead of everybody", async () => {
    await using site = await FilesSite.open("--max-clients", "1");
    await using process = site.peer("--resume", "--");
    const first = await process.event("welcome");
    process.say("drop");
    await site.server.event("away", { name: first["name"] });
    expect((await site.run([], [])).events).toMatchObject([{ event: "refused", code: 12 }]);
    process.say("return");
    expect(await process.event("welcome")).toMatchObject({ name: first["name"] });
    await site.server.event("returned", { name: first["name"] });
    expect(await process.finish()).toEqual(KEPT);
  });

  test("ends the session that the server still takes for live", async () => {
    await using site = await FilesSite.open();
    await using process = site.peer("--resume", "--");
    const { name, resume } = await process.event("welcome");
    const { events, ...rest } = await site.run(["--resume", resume.token], ["status"]);
    expect(rest).toEqual(KEPT);
    expect(only(events, "welcome")).toMatchObject([{ name, resume: { token: expect.any(String) } }]);
    expect([0, 5]).toContain((await process.ended()).exitCode);
  });

  test("with a token that is unknown, or whose session ended with GOAWAY, is new", async () => {
    await using site = await FilesSite.open();
    const first = await site.run(["--resume", "--"], ["ping"]);
    const [{ name, resume }] = only(first.events, "welcome") as [PeerEvent];
    for (const token of [resume.token, "nothing"]) {
      const { events, ...rest } = await site.run(["--resume", token], []);
      expect(rest).toEqual(KEPT);
      expect(only(events, "welcome")[0]?.["name"]).not.toBe(name);
    }
  });

  test("too late is new, and the seat was given back", async () => {
    await using site = await FilesSite.open("--max-clients", "1", "--grace", "1");
    await using process = site.peer("--resume", "--");
    const { name } = await process.event("welcome");
    process.say("drop");
    await site.server.event("left", { name });
    process.say("return");
    expect((await process.event("welcome"))["name"]).not.toBe(name);
    expect(await process.finish()).toEqual(KEPT);
  });
});

/** Whether an event has these members. */
function matches(event: PeerEvent, members: object): boolean {
  return Object.entries(members).every(([key, value]) => event[key] === value);
}
