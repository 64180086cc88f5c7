/** A server and a client put together from typed settings in one process: no command line, no console. */
import { afterEach, beforeEach, describe, expect, mock, spyOn, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import { join } from "node:path";
import { Daemon, type DaemonOptions } from "../../lib/daemon/daemon.ts";
import { rotateIdentityOf } from "../../lib/daemon/identity.ts";
import type { DaemonSettings } from "../../lib/daemon/settings.ts";
import { openTokenDesk } from "../../lib/daemon/token-desk.ts";
import { parseInvite } from "../../lib/protocol/invite.ts";
import { systemClock } from "../../lib/session/clock.ts";
import * as trials from "../../lib/storage/local/write-probe.ts";
import { formatFingerprint } from "../../lib/transport/tls.ts";
import { Connector } from "../../lib/trust/connector.ts";
import { codeOf } from "../support/fault.ts";
import { TempFolder } from "../support/temp-folder.ts";

let folder: TempFolder;
let before: string | undefined;

beforeEach(() => {
  folder = new TempFolder();
  before = process.env["XDG_STATE_HOME"];
  process.env["XDG_STATE_HOME"] = folder.join("home");
  mkdirSync(folder.join("repository"));
  writeFileSync(folder.join("repository/notes.txt"), "hello");
});

afterEach(() => {
  mock.restore();
  if (before === undefined) delete process.env["XDG_STATE_HOME"];
  else process.env["XDG_STATE_HOME"] = before;
  folder[Symbol.dispose]();
});

const settings = (changes: Partial<DaemonSettings> = {}): DaemonSettings => ({
  repository: folder.join("repository"),
  stateDir: folder.join("state"),
  isWritable: false,
  budget: { quotaBytes: undefined, keepFreeBytes: 0 },
  host: "127.0.0.1",
  port: 0,
  advertised: undefined,
  isOpen: false,
  web: "off",
  isPlaintext: false,
  maxClients: 3,
  maxWaiting: 16,
  maxPerAddress: 128,
  callRates: { messages: 1_000, lists: 20, pages: 200 },
  maxMemory: 64 * 1024 * 1024,
  bandwidth: { perSession: undefined, total: undefined },
  idleMs: undefined,
  graceMs: 1_000,
  stopTimeoutMs: 1_000,
  ...changes,
});

const program = { agent: "test/1", trace: <T>(transport: T) => transport };
const options: DaemonOptions = { ...program, canShowInvite: true, onStopRequest() {} };

function connector(server: string): Connector {
  return new Connector(
    {
      ...program,
      server,
      invite: undefined,
      token: undefined,
      ca: undefined,
      isPlaintext: false,
      stateDir: folder.join("client"),
      acceptNew: false,
      wait: false,
      timeoutMs: 10_000,
    },
    { confirm: async () => false, warn() {}, onQueued() {}, onMessage() {} },
  );
}

/** The timers that run by the system's clock. */
function runningTimers() {
  const running = new Set<object>();
  const after = systemClock.after.bind(systemClock);
  const spy = spyOn(systemClock, "after").mockImplementation((ms, action) => {
    const timer = {};
    running.add(timer);
    const cancel = after(ms, () => {
      running.delete(timer);
      action();
    });
    return () => {
      running.delete(timer);
      cancel();
    };
  });
  return { running, [Symbol.dispose]: () => spy.mockRestore() };
}

describe("a start that fails", () => {
  test("at its port leaves no timer running", async () => {
    const first = await Daemon.start(settings(), options);
    using timers = runningTimers();
    const other = settings({
      stateDir: folder.join("other"),
      port: first.serving.port,
      isWritable: true,
      idleMs: 9_000,
    });
    expect(await codeOf(() => Daemon.start(other, options))).toBe("CANNOT_LISTEN");
    expect(timers.running.size).toBe(0);
    await first.stop();
  });

  test("because another server has its state folder writes nothing into its repository", async () => {
    const first = await Daemon.start(settings(), options);
    const { mtimeMs } = statSync(folder.join("repository"));
    expect(await codeOf(() => Daemon.start(settings({ isWritable: true }), options))).toBe("STATE_IN_USE");
    expect(statSync(folder.join("repository")).mtimeMs).toBe(mtimeMs);
    await first.stop();
  });

  test("after it has listened leaves its port and its state folder free", async () => {
    const once = await Daemon.start(settings(), options);
    const { port } = once.serving;
    await once.stop();
    using timers = runningTimers();
    const stateDir = folder.join("other");
    mkdirSync(folder.join("other/invitation.json"), { recursive: true });
    await codeOf(() => Daemon.start(settings({ stateDir, port }), options));
    expect(timers.running.size).toBe(0);
    rmdirSync(folder.join("other/invitation.json"));
    const next = await Daemon.start(settings({ stateDir, port }), options);
    expect(next.serving.port).toBe(port);
    await next.stop();
  });
});

describe("a daemon", () => {
  test("serves what its settings say to a client of the same user without a token", async () => {
    const daemon = await Daemon.start(settings(), options);
    const client = await connector(`127.0.0.1:${daemon.serving.port}`).connect(new AbortController().signal);
    const names: string[] = [];
    for await (const { path } of client.list(undefined, new AbortController().signal)) names.push(path);
    expect({ names, role: client.role }).toEqual({ names: ["notes.txt"], role: "write" });
    expect(parseInvite(String(daemon.serving.invite))).toMatchObject({ identity: daemon.serving.fingerprint });
    await client.close();
    await daemon.stop();
  });

  test("reports what its operator should know as facts", async () => {
    const stateDir = folder.join("repository/state");
    const daemon = await Daemon.start(settings({ stateDir }), options);
    expect(daemon.warnings).toContainEqual({ kind: "private place", place: stateDir });
    await daemon.stop();
  });

  test("lets its own process operate it", async () => {
    let stopRequests = 0;
    const daemon = await Daemon.start(settings(), { ...options, onStopRequest: () => stopRequests++ });
    const operator = await daemon.connectOperator();
    await operator.quit();
    expect(stopRequests).toBe(1);
    await daemon.stop();
  });

  test("makes another first invite when nobody has seen the one before", async () => {
    const first = await Daemon.start(settings(), options);
    expect(first.takeFirstInviteBack()).toBe(true);
    await first.stop();
    const second = await Daemon.start(settings(), options);
    expect(second.serving.invite).toBeDefined();
    await second.stop();
    const third = await Daemon.start(settings(), options);
    expect(third.serving.invite).toBeUndefined();
    await third.stop();
  });

  test("that can't listen leaves its state folder to the next one", async () => {
    const daemon = await Daemon.start(settings(), options);
    const { port } = daemon.serving;
    const other = settings({ stateDir: folder.join("other"), port });
    expect(await codeOf(() => Daemon.start(other, options))).toBe("CANNOT_LISTEN");
    const free = await Daemon.start({ ...other, port: 0 }, options);
    await free.stop();
    await daemon.stop();
  });
});

describe("a daemon that speaks HTTP", () => {
  /** The status for a request of a browser that was sent to a server of this name. */
  async function statusFor(daemon: Daemon, host: string): Promise<number> {
    const { port } = daemon.serving;
    const headers = { host: `${host}:${port}`, connection: "close" };
    return (await fetch(`http://127.0.0.1:${port}/files/notes.txt`, { headers })).status;
  }

  test("knows its own names and those that it advertises: no foreign page reaches it by a name of its own", async () => {
    spyOn(os, "hostname").mockReturnValue("Lab.Example.org");
    const open = { web: "read", isOpen: true, isPlaintext: true } as const;
    const daemon = await Daemon.start(settings({ ...open, advertised: ["Files.test:1", "192.0.2.7:1"] }), options);
    const statuses: Record<string, number> = {};
    for (const name of ["lab.example.org", "lab", "lab.local", "files.test", "evil.test", "example.org", "local"]) {
      statuses[name] = await statusFor(daemon, name);
    }
    const [ok, refused] = [200, 403];
    expect(statuses).toEqual({
      ...{ "lab.example.org": ok, lab: ok, "lab.local": ok, "files.test": ok },
      ...{ "evil.test": refused, "example.org": refused, local: refused },
    });
    await daemon.stop();
  });

  test("serves its own clients at the same port", async () => {
    const daemon = await Daemon.start(settings({ web: "read" }), options);
    const client = await connector(`127.0.0.1:${daemon.serving.port}`).connect(new AbortController().signal);
    expect(client.role).toBe("write");
    await client.close();
    await daemon.stop();
  });
});

describe("the token desk of a state folder", () => {
  test("says that no server has ever run with it, and makes an invite all the same", async () => {
    const desk = await openTokenDesk(folder.join("state"), { ...program, mayMake: true });
    expect(desk.warnings).toEqual([{ kind: "never started", stateDir: folder.join("state") }]);
    const { invite } = await desk.issueToken({ name: "laptop", role: "read" });
    expect(parseInvite(invite)).toMatchObject({ token: { name: "laptop" } });
    await desk.close();
  });

  test("has the tokens that were made there, and takes them back", async () => {
    const desk = await openTokenDesk(folder.join("state"), { ...program, mayMake: true });
    await desk.issueToken({ name: "laptop", role: "read" });
    await desk.issueToken({ name: "guest", role: "write", expiresAt: 7, addresses: ["files.test:1"] });
    const listed = async () =>
      (await Array.fromAsync(desk.tokens())).map(({ name, role, expiresAt }) => [name, role, expiresAt]);
    expect(await listed()).toEqual([
      ["laptop", "read", null],
      ["guest", "write", 7],
    ]);
    await desk.revokeToken("laptop");
    expect(await listed()).toEqual([["guest", "write", 7]]);
    await desk.close();
  });

  test("puts the addresses that are asked for into its invites, and those of the last server into the others", async () => {
    const daemon = await Daemon.start(settings({ advertised: ["last.test:1"] }), options);
    const { fingerprint } = daemon.serving;
    await daemon.stop();
    const desk = await openTokenDesk(folder.join("state"), { ...program, mayMake: true });
    expect(desk.warnings).toEqual([]);
    const invite = async (name: string, addresses?: string[]) =>
      parseInvite((await desk.issueToken({ name, role: "read", ...(addresses && { addresses }) })).invite);
    expect(await invite("a")).toMatchObject({ addresses: ["last.test:1"], identity: fingerprint });
    expect(await invite("b", ["files.test:1"])).toMatchObject({ addresses: ["files.test:1"], identity: fingerprint });
    await desk.close();
  });

  test("keeps every server and every other desk out until it is closed", async () => {
    const desk = await openTokenDesk(folder.join("state"), { ...program, mayMake: true });
    expect(await codeOf(() => Daemon.start(settings(), options))).toBe("STATE_IN_USE");
    expect(await codeOf(() => openTokenDesk(folder.join("state"), { ...program, mayMake: true }))).toBe("STATE_IN_USE");
    await desk.close();
    await (await Daemon.start(settings(), options)).stop();
  });

  test("is not made by a command that only looks into it", async () => {
    const opened = openTokenDesk(folder.join("none"), { ...program, mayMake: false });
    expect(await codeOf(() => opened)).toBe("NO_SUCH_FILE");
    expect(existsSync(folder.join("none"))).toBe(false);
    mkdirSync(folder.join("empty"), { mode: 0o700 });
    const desk = await openTokenDesk(folder.join("empty"), { ...program, mayMake: false });
    expect({ warnings: desk.warnings, tokens: await Array.fromAsync(desk.tokens()) }).toEqual({
      warnings: [],
      tokens: [],
    });
    await desk.close();
  });

  test("is the running server's, which has the same tokens", async () => {
    const daemon = await Daemon.start(settings(), options);
    const desk = await openTokenDesk(daemon.serving.stateDir, { ...program, mayMake: true });
    expect(desk.warnings).toEqual([]);
    await desk.issueToken({ name: "laptop", role: "read" });
    expect((await Array.fromAsync(desk.tokens())).map(({ name }) => name)).toEqual(["default", "laptop"]);
    await desk.revokeToken("laptop");
    expect(daemon.server.tokens.list().map(({ name }) => name)).toEqual(["default"]);
    await desk.close();
    await daemon.stop();
  });

  test("has no identity that a running server would not know of", async () => {
    const daemon = await Daemon.start(settings(), options);
    const { stateDir, fingerprint } = daemon.serving;
    expect(await codeOf(() => rotateIdentityOf(stateDir))).toBe("STATE_IN_USE");
    await daemon.stop();
    const { digest } = await rotateIdentityOf(stateDir);
    expect(formatFingerprint(digest)).not.toBe(String(fingerprint));
    const next = await Daemon.start(settings(), options);
    expect(next.serving.fingerprint).toBe(formatFingerprint(digest));
    await next.stop();
  });
});

describe("the operator's socket", () => {
  const operate = (stateDir: string) => openTokenDesk(stateDir, { ...program, mayMake: false, timeoutMs: 10_000 });

  test.skipIf(process.platform === "win32")("is not used in a folder that others can change", async () => {
    const daemon = await Daemon.start(settings(), options);
    const { stateDir } = daemon.serving;
    chmodSync(folder.path, 0o755);
    chmodSync(stateDir, 0o777);
    expect(await codeOf(() => operate(stateDir))).toBe("STATE_IN_USE");
    chmodSync(stateDir, 0o700);
    await (await operate(stateDir)).close();
    await daemon.stop();
  });

  test.skipIf(process.platform === "win32")(
    "does not exist where its path is too long, and the server serves",
    async () => {
      const stateDir = folder.join("x".repeat(100));
      const daemon = await Daemon.start(settings({ stateDir }), options);
      expect(daemon.warnings).toEqual([
        { kind: "long socket path", path: join(stateDir, "operator.sock"), maxBytes: 103 },
      ]);
      await daemon.stop();
    },
  );

  test("is gone with its server, and one that a killed server left is replaced", async () => {
    const daemon = await Daemon.start(settings(), options);
    const { stateDir } = daemon.serving;
    await daemon.stop();
    writeFileSync(join(stateDir, "operator.sock"), "");
    const next = await Daemon.start(settings(), options);
    expect(next.warnings).toEqual([]);
    await (await operate(stateDir)).close();
    await next.stop();
  });
});

test("a server whose user has no place for a local invite says so, and serves", async () => {
  writeFileSync(folder.join("home"), "");
  const daemon = await Daemon.start(settings(), options);
  expect(daemon.warnings).toMatchObject([{ kind: "no local invite" }]);
  await daemon.stop();
});

test("what clients may write is tried out at the start", async () => {
  const readOnly = await Daemon.start(settings(), options);
  expect([readOnly.serving.canWrite, readOnly.warnings]).toEqual([true, []]);
  await readOnly.stop();
  const fault = "No.";
  spyOn(trials, "writeFault").mockReturnValue(fault);
  const writable = await Daemon.start(settings({ isWritable: true }), options);
  expect(writable.serving.canWrite).toBe(false);
  expect(writable.warnings).toContainEqual({ kind: "unwritable repository", fault });
  await writable.stop();
});

test("a token that can't be taken back leaves a server that says so", async () => {
  const daemon = await Daemon.start(settings(), options);
  expect(daemon.serving.invite).toBeDefined();
  spyOn(daemon.server.tokens, "unissue").mockImplementation(() => {
    throw new Error("No.");
  });
  expect(daemon.takeFirstInviteBack()).toBe(false);
  await daemon.stop();
});
