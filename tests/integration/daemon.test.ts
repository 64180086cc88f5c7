/** A server and a client put together from typed settings in one process: no command line, no console. */
import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { Daemon, type DaemonOptions } from "../../lib/daemon/daemon.ts";
import type { DaemonSettings } from "../../lib/daemon/settings.ts";
import { openTokenDesk } from "../../lib/daemon/token-desk.ts";
import { parseInvite } from "../../lib/protocol/invite.ts";
import { systemClock } from "../../lib/session/clock.ts";
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
  test("serves what its settings say to a client of the same user, who needs no token", async () => {
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

describe("the token desk of a state folder", () => {
  test("says that no server has ever run with it, and makes an invite all the same", async () => {
    const desk = await openTokenDesk(folder.join("state"), { ...program, mayMake: true });
    expect(desk.warnings).toEqual([{ kind: "never started", stateDir: folder.join("state") }]);
    const { invite } = await desk.issueToken({ name: "laptop", role: "read" });
    expect(parseInvite(invite)).toMatchObject({ token: { name: "laptop" } });
    await desk.close();
  });
});
