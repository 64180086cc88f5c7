import { expect, test } from "bun:test";
import { join } from "node:path";
import { bannerText, listeningRecord } from "../../../lib/cli/server/banner.ts";
import type { Serving } from "../../../lib/daemon/daemon.ts";
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
  invite: undefined,
};
const banner = (more: Partial<Serving> = {}) => bannerText({ ...SERVING, ...more }, [], new TestIo());

test("README.md shows the first line of --json with the members that it has", async () => {
  const readme = await Bun.file(join(import.meta.dir, "../../../README.md")).text();
  const [, example = "{}"] = /the first line on standard output is\n\n```json\n([^`]+)```/.exec(readme) ?? [];
  expect(Object.keys(JSON.parse(example))).toEqual(Object.keys(listeningRecord(SERVING)));
});

test("with --web the banner says how to get a login, and what curl takes", () => {
  const text = banner();
  expect(text).toContain("NAME:SECRET: commserver-server token add web --role read --state-dir /var/lib/files\n");
  expect(text).toContain("for curl: --user NAME:SECRET --insecure --pinnedpubkey sha256//x\n");
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
