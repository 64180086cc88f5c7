import { expect, test } from "bun:test";
import { join } from "node:path";
import { bannerText, listeningRecord } from "../../../lib/cli/server/banner.ts";
import type { Serving } from "../../../lib/daemon/daemon.ts";
import { networkAddresses } from "../../../lib/daemon/own-addresses.ts";
import { TestIo } from "../../support/test-io.ts";

const SERVING: Serving = {
  repository: "/srv/files",
  isWritable: false,
  canWrite: false,
  host: undefined,
  port: 5050,
  advertised: undefined,
  isOpen: false,
  isPlaintext: false,
  web: "read",
  maxClients: 3,
  maxWaiting: 16,
  maxPerAddress: 128,
  callRates: { messages: 1, lists: 1, pages: 1 },
  maxMemory: 1,
  budget: { quotaBytes: undefined, keepFreeBytes: 0 },
  bandwidth: { perSession: undefined, total: undefined },
  idleMs: undefined,
  graceMs: 1,
  stopTimeoutMs: 1,
  stateDir: "/var/lib/files",
  identity: "SHA256:x",
  fingerprint: "SHA256:x",
  pin: "sha256//x",
  announced: undefined,
  invite: undefined,
};
const banner = (more: Partial<Serving> = {}, warnings: readonly string[] = []) =>
  bannerText({ ...SERVING, ...more }, warnings, new TestIo());

/** The text beside a label, and in the rows below it without one. */
function rowsOf(label: string, more: Partial<Serving> = {}): string[] {
  const rows = banner(more)
    .split("\n")
    .map((line) => [line.slice(2, 14).trim(), line.slice(15)] as const);
  const first = rows.findIndex(([name]) => name === label);
  if (first < 0) return [];
  const next = rows.findIndex(([name, text], index) => index > first && (name !== "" || text === ""));
  return rows.slice(first, next).map(([, text]) => text);
}

test("docs/server.md shows the first line of --json with the members that it has", async () => {
  const page = await Bun.file(join(import.meta.dir, "../../../docs/server.md")).text();
  const [, example = "{}"] = /the first line on standard output is\n\n```json\n([^`]+)```/.exec(page) ?? [];
  expect(Object.keys(JSON.parse(example))).toEqual(Object.keys(listeningRecord(SERVING)));
});

test("with --web the banner says how to get a login, and what curl takes", () => {
  const text = banner();
  expect(text).toContain("(NAME:SECRET): commserver-server token add web --role read --state-dir /var/lib/files\n");
  expect(text).toContain("for curl: --user NAME:SECRET --insecure --pinnedpubkey sha256//x\n");
});

test("a port that browsers refuse is told where they are invited", () => {
  for (const port of [5060, 5061, 6000, 6667, 10_080]) {
    expect(rowsOf("Beware", { port })).toEqual([`browsers refuse port ${port}: choose another --port`]);
    expect(rowsOf("Beware", { port, web: "off" })).toEqual([]);
  }
  for (const port of [443, 5050, 5062, 8080]) expect(rowsOf("Beware", { port })).toEqual([]);
});

test("nobody needs a login with --open, curl has no pin without encryption, and without --web there is no HTTP", () => {
  const open = banner({ isOpen: true });
  expect(open).toContain("for curl: --insecure --pinnedpubkey sha256//x\n");
  expect(open).not.toContain("SECRET");
  const plain = banner({ isPlaintext: true, pin: null, fingerprint: null });
  expect(plain).toContain("token add web --role read");
  expect(plain).not.toContain("for curl");
  expect(banner({ web: "off" })).not.toMatch(/curl|token add web/);
});

test("the banner says what is served, and what clients may do there", () => {
  expect(rowsOf("Serving")).toEqual(["/srv/files (read-only)"]);
  const writable = { isWritable: true, canWrite: true };
  expect(rowsOf("Serving", writable)).toEqual(["/srv/files (clients may write)"]);
  const budget = { quotaBytes: 50e9, keepFreeBytes: 0 };
  expect(rowsOf("Serving", { ...writable, budget })).toEqual(["/srv/files (clients may write, 50 GB at most)"]);
  expect(rowsOf("Serving", { isWritable: true })).toEqual([
    "/srv/files (clients may write, but the folder can't be written: see below)",
  ]);
});

test("the banner says where the server listens, for whom, and with how many seats", () => {
  const rows = (more: Partial<Serving> = {}) =>
    ["Listening", "Access", "Identity", "Seats", "State", "Web"].map((label) => rowsOf(label, more)[0]);
  expect(rows({ web: "off" })).toEqual([
    "all addresses, port 5050",
    "with a token",
    "SHA256:x",
    "3 clients, and 16 may wait",
    "/var/lib/files",
    undefined,
  ]);
  expect(rows({ host: "::1", port: 7, isOpen: true, isPlaintext: true, fingerprint: null, maxClients: 1 })).toEqual([
    "[::1]:7",
    "anyone may read, without a token (--open)",
    undefined,
    "1 client, and 16 may wait",
    "/var/lib/files",
    "http://[::1]:7/files/ (read-only)",
  ]);
  expect(rows()[5]).toBe("https://localhost:5050/files/ (read-only)");
});

test("the banner warns of a server without encryption that others can reach", () => {
  const beware = (more: Partial<Serving>) => rowsOf("Beware", more)[0];
  expect(beware({ isPlaintext: true })).toEndWith("can read what crosses the wire, and change it");
  expect(beware({ isPlaintext: true, isOpen: true, host: "192.0.2.7" })).toEndWith("can read it all");
  expect(beware({ isPlaintext: true, host: "127.0.0.1" })).toBeUndefined();
  expect(beware({})).toBeUndefined();
  expect(banner({}, ["Careful: \u001b[2J"])).toContain("  Warning      Careful: \\u{1b}[2J\n");
});

test("the banner says what to type here and elsewhere", () => {
  const another = "commserver-server token add NAME --state-dir /var/lib/files";
  expect(rowsOf("Connect")).toEqual(["commserver-client"]);
  expect(rowsOf("elsewhere")).toEqual(["commserver-client join INVITE", `Make an invite: ${another}`]);
  expect(rowsOf("elsewhere", { invite: "csinvite1_x" })).toEqual([
    "commserver-client join csinvite1_x",
    `This invite holds a token and is shown once. For another: ${another}`,
  ]);
  expect(rowsOf("Connect", { port: 7 })).toEqual(["commserver-client --server localhost:7"]);
  expect(rowsOf("Connect", { host: "127.0.0.1", isPlaintext: true })).toEqual([
    "commserver-client --server 127.0.0.1:5050 --plaintext",
  ]);
});

test("a server at one address of the network is not reached as one of this machine", () => {
  const host = "192.0.2.7";
  expect(rowsOf("Connect", { host })[0]).toBe("commserver-client join INVITE");
  expect(rowsOf("elsewhere", { host })).toEqual([]);
  expect(rowsOf("anyone", { host })).toEqual([]);
});

test("the banner of an open server says how others come in without an invite", () => {
  const open = { isOpen: true, isPlaintext: true };
  expect(rowsOf("elsewhere", open)).toEqual([]);
  expect(rowsOf("anyone", { ...open, host: "192.0.2.7" })).toEqual([
    "commserver-client --server 192.0.2.7:5050 --plaintext",
  ]);
  expect(rowsOf("anyone", { ...open, host: "127.0.0.1" })).toEqual([]);
  const [near] = networkAddresses();
  expect(rowsOf("anyone", open)).toHaveLength(near === undefined ? 0 : 1);
  expect(rowsOf("elsewhere", { ...open, invite: "csinvite1_x" })[0]).toBe("commserver-client join csinvite1_x");
});

test.each([40, 60, 80])("its lines break between words at %d columns, and its commands not at all", (outColumns) => {
  const warning = "Clients may write (--writable), but nothing can be written to the repository: no permission.";
  const shown = { ...SERVING, isPlaintext: true, web: "off" as const, invite: `csinvite1_${"x".repeat(90)}` };
  const io = Object.assign(new TestIo(), { outColumns });
  const lines = bannerText(shown, [warning], io).split("\n");
  const long = lines.filter((line) => line.length > outColumns).map((line) => line.trim());
  expect(long.filter((line) => !/commserver-(?:client|server) /.test(line))).toEqual([]);
  const words = lines
    .map((line) => line.trim())
    .join(" ")
    .replaceAll(/ +/g, " ");
  expect(words).toContain(warning);
  expect(lines.join("\n")).toContain(`commserver-client join ${shown.invite}\n`);
  expect(lines.join("\n")).toContain("commserver-server token add NAME --state-dir /var/lib/files\n");
});

test("the record for programs has what they need to connect", () => {
  expect(listeningRecord({ ...SERVING, invite: "csinvite1_x" })).toMatchObject({
    event: "listening",
    host: "::",
    port: 5050,
    tls: true,
    fingerprint: "SHA256:x",
    invite: "csinvite1_x",
    pid: process.pid,
  });
  expect(listeningRecord({ ...SERVING, host: "127.0.0.1", isPlaintext: true, fingerprint: null })).toMatchObject({
    host: "127.0.0.1",
    tls: false,
    fingerprint: null,
    invite: null,
  });
});
