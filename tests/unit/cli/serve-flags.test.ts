import { describe, expect, test } from "bun:test";
import { parseFlags } from "../../../lib/cli/flags.ts";
import { readSettings, requireUse, SERVE_FLAGS } from "../../../lib/cli/server/serve-flags.ts";

/** The settings for this command line. */
const read = (...argv: string[]) => readSettings(parseFlags(["--state-dir", "/state", ...argv], SERVE_FLAGS));

describe("the settings of a server", () => {
  test("are careful ones when nothing is said", () => {
    expect(read()).toEqual({
      repository: "./repository",
      isWritable: false,
      host: undefined,
      port: 5050,
      advertised: undefined,
      isOpen: false,
      isPlaintext: false,
      web: "off",
      maxClients: 3,
      maxWaiting: 16,
      maxPerAddress: 128,
      callRates: { messages: 1_000, lists: 20, pages: 200 },
      maxMemory: expect.any(Number),
      budget: { quotaBytes: undefined, keepFreeBytes: 64_000_000 },
      bandwidth: { perSession: undefined, total: undefined },
      idleMs: 43_200_000,
      graceMs: 30_000,
      stopTimeoutMs: 10_000,
      stateDir: "/state",
    });
  });

  test("are what the flags say", () => {
    const files = ["--cert", "cert.pem", "--key", "key.pem"];
    const limits = ["--quota", "50GB", "--keep-free", "0", "--limit-rate", "1M", "--limit-rate-total", "2M"];
    const times = ["--idle", "0", "--grace", "0.5", "--stop-timeout", "2"];
    expect(
      read("--writable", "--open", "--web", "read", "--host", "[::1]", ...files, ...limits, ...times),
    ).toMatchObject({
      isWritable: true,
      isOpen: true,
      web: "read",
      host: "::1",
      certificate: { certFile: "cert.pem", keyFile: "key.pem" },
      budget: { quotaBytes: 50e9, keepFreeBytes: 0 },
      bandwidth: { perSession: 1e6, total: 2e6 },
      idleMs: undefined,
      graceMs: 500,
      stopTimeoutMs: 2_000,
    });
    expect(read("--plaintext", "--idle", "1")).toMatchObject({ isPlaintext: true, idleMs: 1_000 });
    expect(read("--web", "on").web).toBe("on");
    expect(read("--max-lists", "7").callRates).toMatchObject({ lists: 7, pages: 70 });
  });

  test.each([
    ["port", 0, 65_535],
    ["max-clients", 1, 100_000],
    ["max-waiting", 0, 100_000],
    ["max-per-address", 1, 200_000],
    ["max-messages", 1, 1_000_000],
    ["max-lists", 1, 1_000_000],
    ["mailbox-messages", 1, 10_000],
    ["mailbox-days", 1, 3_650],
  ])("have --%s from %i to %i", (name, least, most) => {
    for (const value of [least, most]) expect(() => read(`--${name}`, String(value))).not.toThrow();
    for (const value of [least - 1, most + 1]) {
      expect(() => read(`--${name}`, String(value))).toThrow(`--${name} takes a whole number from ${least} to ${most}`);
    }
  });

  test.each([
    ["max-memory", 16_000_000, "--max-memory takes at least 16MB."],
    ["limit-rate", 16_000, "--limit-rate takes at least 16000 bytes a second."],
    ["limit-rate-total", 16_000, "--limit-rate-total takes at least 16000 bytes a second."],
  ])("have --%s from %i bytes on", (name, least, message) => {
    expect(() => read(`--${name}`, String(least))).not.toThrow();
    expect(() => read(`--${name}`, String(least - 1))).toThrow(message);
  });

  test("keep messages only with --mailbox, within bounds", () => {
    expect(read("--mailbox").mailbox).toEqual({ messages: 100, bytes: 16_000_000, ms: 30 * 86_400_000 });
    const bounds = ["--mailbox-messages", "5", "--mailbox-size", "1MB", "--mailbox-days", "2"];
    expect(read("--mailbox", ...bounds).mailbox).toEqual({ messages: 5, bytes: 1_000_000, ms: 2 * 86_400_000 });
    for (const size of ["127999", "1001MB"]) {
      expect(() => read("--mailbox", "--mailbox-size", size)).toThrow("--mailbox-size takes 128KB to 1GB.");
    }
    expect(() => requireUse({ _: [], "mailbox-days": "2" })).toThrow("--mailbox-days goes with --mailbox.");
    expect(() => requireUse({ _: [], "mailbox-days": "2", mailbox: true })).not.toThrow();
  });

  test.each([
    [["--cert", "a"], "--cert and --key belong together."],
    [["--key", "a"], "--cert and --key belong together."],
    [["--plaintext", "--cert", "a", "--key", "b"], "--plaintext and --cert exclude each other."],
    [["--web", "write"], "--web takes off, read or on."],
  ])("refuse %j", (argv, message) => {
    expect(() => read(...argv)).toThrow(message);
  });
});
