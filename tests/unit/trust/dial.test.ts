import { afterEach, beforeEach, describe, expect, mock, spyOn, test } from "bun:test";
import { writeFileSync } from "node:fs";
import * as os from "node:os";
import { TransportError, toCommError } from "../../../lib/errors.ts";
import type { Transport } from "../../../lib/session/transport.ts";
import * as connecting from "../../../lib/transport/connect-first.ts";
import { type Listening, listen } from "../../../lib/transport/socket.ts";
import { formatFingerprint } from "../../../lib/transport/tls.ts";
import { dial } from "../../../lib/trust/dial.ts";
import type { DialOptions, TrustWarning } from "../../../lib/trust/dial-options.ts";
import { KnownServers } from "../../../lib/trust/known-servers.ts";
import { findTarget, type Target } from "../../../lib/trust/target.ts";
import { testIdentity } from "../../support/identity.ts";
import { TempFolder } from "../../support/temp-folder.ts";

let folder: TempFolder;
let listening: Listening;
let address: string;
const accepted: Transport[] = [];

beforeEach(async () => {
  folder = new TempFolder();
  listening = listen(
    { kind: "tcp", host: "127.0.0.1", port: 0 },
    (transport) => accepted.push(transport),
    await testIdentity(),
  );
  address = listening.address.kind === "tcp" ? `127.0.0.1:${listening.address.port}` : "";
});

afterEach(() => {
  for (const transport of accepted.splice(0)) transport.abort();
  listening.stop();
  folder[Symbol.dispose]();
});

const NOTHING = { invite: undefined, token: undefined, ca: undefined, isPlaintext: false };

/** Dial once; what was asked and warned of, and the outcome. */
async function dialOnce(answer: boolean, options: Partial<DialOptions> = {}, changes: Partial<Target> = {}) {
  const asked: string[] = [];
  const warnings: TrustWarning[] = [];
  const stateDir = options.stateDir ?? folder.join("state");
  const target = findTarget({
    server: address,
    invite: undefined,
    token: undefined,
    ca: undefined,
    isPlaintext: false,
    stateDir,
  });
  const dialled = dial(
    { ...target, ...changes },
    {
      stateDir,
      timeoutMs: 10_000,
      acceptNew: false,
      signal: new AbortController().signal,
      prompts: {
        confirm: async (server, fingerprint) => {
          asked.push(`${server} ${fingerprint}`);
          return answer;
        },
        warn: (warning) => warnings.push(warning),
      },
      ...options,
    },
  );
  const outcome = await dialled.then(
    (transport) => {
      transport.abort();
      return "connected";
    },
    (thrown) => toCommError(thrown).code,
  );
  return { asked, warnings, outcome };
}

describe("dialling an unknown server", () => {
  test("asks once, with its fingerprint, and knows it from then on", async () => {
    const fingerprint = formatFingerprint((await testIdentity()).digest);
    expect(await dialOnce(true)).toEqual({
      asked: [`${address} ${fingerprint}`],
      warnings: [],
      outcome: "connected",
    });
    expect(new KnownServers(folder.join("state")).find(address)).toMatchObject({ identity: fingerprint });
    expect(await dialOnce(false)).toEqual({ asked: [], warnings: [], outcome: "connected" });
  });

  test("saves nothing when it is not trusted", async () => {
    expect(await dialOnce(false)).toMatchObject({ outcome: "UNKNOWN_IDENTITY", warnings: [] });
    expect(new KnownServers(folder.join("state")).list()).toEqual([]);
  });

  test("asks nobody when it may trust it", async () => {
    expect(await dialOnce(false, { acceptNew: true })).toMatchObject({ asked: [], outcome: "connected" });
    expect(new KnownServers(folder.join("state")).list()).toHaveLength(1);
  });

  test("trusts it this once where nothing can be saved, and warns", async () => {
    writeFileSync(folder.join("file"), "");
    const { asked, warnings, outcome } = await dialOnce(true, { stateDir: folder.join("file") });
    expect({ asked: asked.length, outcome }).toEqual({ asked: 1, outcome: "connected" });
    expect(warnings).toMatchObject([{ kind: "not saved", server: address, fault: { code: "DISK_DENIED" } }]);
  });
});

test("a token that others on this machine could read is warned of before anything is sent", async () => {
  const exposedToken = { file: "/home/me/servers/lab.json", mode: "0644" };
  const { warnings, outcome } = await dialOnce(false, {}, { exposedToken });
  expect(warnings).toEqual([{ kind: "exposed token", ...exposedToken }]);
  expect(outcome).not.toBe("connected");
  expect((await dialOnce(true)).warnings).toEqual([]);
});

describe("nobody is asked to trust", () => {
  test("a server that shows another identity than the known one", async () => {
    const identity = `SHA256:${"O".repeat(43)}`;
    const dialled = await dialOnce(true, {}, { identity });
    expect(dialled).toEqual({ asked: [], warnings: [], outcome: "WRONG_IDENTITY" });
    expect(new KnownServers(folder.join("state")).list()).toEqual([]);
  });

  test("a server that is not there", async () => {
    const socket = { kind: "unix", path: folder.join("none.sock") } as const;
    expect(await dialOnce(true, {}, { addresses: [socket] })).toMatchObject({ asked: [], outcome: "CANNOT_CONNECT" });
  });
});

describe("dialling without encryption", () => {
  const plaintext = { isPlaintext: true };

  test("verifies nothing, asks nothing, and warns of nothing on this machine", async () => {
    expect(await dialOnce(false, {}, plaintext)).toEqual({ asked: [], warnings: [], outcome: "connected" });
    expect(new KnownServers(folder.join("state")).list()).toEqual([]);
  });

  test("warns before it connects to another machine", async () => {
    const away = { kind: "tcp", host: "192.0.2.7", port: 5050 } as const;
    const signal = AbortSignal.abort();
    const dialled = await dialOnce(false, { signal }, { ...plaintext, addresses: [away] });
    expect(dialled).toEqual({ asked: [], warnings: [{ kind: "plaintext", server: address }], outcome: "INTERRUPTED" });
  });

  test("does not warn of a socket of this machine", async () => {
    const socket = { kind: "unix", path: folder.join("none.sock") } as const;
    const { warnings } = await dialOnce(false, {}, { ...plaintext, addresses: [socket] });
    expect(warnings).toEqual([]);
  });
});

describe("a link-local address that names no network", () => {
  afterEach(() => {
    mock.restore();
  });

  /** The hosts that are tried on a machine with these networks. */
  async function triedWith(networks: Record<string, Partial<os.NetworkInterfaceInfo>[]>, host: string) {
    const tried: string[] = [];
    spyOn(os, "networkInterfaces").mockReturnValue(networks as ReturnType<typeof os.networkInterfaces>);
    spyOn(connecting, "connectFirst").mockImplementation(async (addresses) => {
      tried.push(...addresses.map((one) => (one.kind === "tcp" ? one.host : one.path)));
      throw new TransportError("CANNOT_CONNECT", "Not tried.");
    });
    await dialOnce(false, {}, { isPlaintext: true, addresses: [{ kind: "tcp", host, port: 1 }] });
    return tried;
  }
  const linkLocal = { address: "fe80::1", internal: false };

  test("is tried in each network that has such addresses", async () => {
    const networks = {
      lo: [{ address: "fe80::2", internal: true }],
      eth0: [{ address: "192.0.2.7", internal: false }, linkLocal],
      tun0: [{ address: "2001:db8::7", internal: false }],
      wlan0: [linkLocal],
    };
    expect(await triedWith(networks, "fe80::7")).toEqual(["fe80::7%eth0", "fe80::7%wlan0"]);
    expect(await triedWith(networks, "fe80::7%eth1")).toEqual(["fe80::7%eth1"]);
    expect(await triedWith(networks, "2001:db8::8")).toEqual(["2001:db8::8"]);
  });

  test("is tried as it is on a machine without such a network, and in a few networks of very many", async () => {
    expect(await triedWith({ eth0: [{ address: "192.0.2.7", internal: false }] }, "fe80::7")).toEqual(["fe80::7"]);
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`eth${index}`, [linkLocal]]));
    expect(await triedWith(many, "fe80::7")).toHaveLength(16);
  });
});

describe("a joined server that does not answer at its address", () => {
  const away = ["192.0.2.1:1"];
  const find = (fingerprint: string) => async () => [
    { name: "other", hosts: ["127.0.0.1"], port: portOf(address), fingerprint: `SHA256:${"A".repeat(43)}` },
    { name: "closed", hosts: ["127.0.0.1"], port: 1, fingerprint },
    { name: "lab", hosts: ["127.0.0.1"], port: portOf(address), fingerprint },
  ];
  const portOf = (text: string) => Number(text.split(":").at(-1));

  async function dialMoved(identity: string, announced = identity) {
    const stateDir = folder.join("state");
    const known = new KnownServers(stateDir);
    known.save({ name: "lab", addresses: away, identity, token: `a:${"x".repeat(43)}` });
    const target = findTarget({ ...NOTHING, server: "lab", stateDir });
    const news: string[] = [];
    const options: DialOptions = {
      ...{ stateDir, timeoutMs: 300, acceptNew: true, signal: new AbortController().signal, find: find(announced) },
      prompts: { confirm: async () => true, warn() {}, onMoved: ({ kind }) => news.push(kind) },
    };
    const outcome = await dial(target, options).then(
      (transport) => {
        transport.abort();
        return "connected";
      },
      (thrown) => toCommError(thrown).code,
    );
    return { news, outcome, known: known.find("lab") };
  }

  test("is found where it announces itself, and known there from then on, with all else", async () => {
    const identity = formatFingerprint((await testIdentity()).digest);
    const { news, outcome, known } = await dialMoved(identity);
    expect({ news, outcome }).toEqual({ news: ["looking", "found"], outcome: "connected" });
    expect(known).toMatchObject({ addresses: [address, ...away], identity, token: `a:${"x".repeat(43)}` });
  });

  test("is no server that only says that it has its identity", async () => {
    const { news, outcome, known } = await dialMoved(`SHA256:${"B".repeat(43)}`);
    expect(news).toEqual(["looking"]);
    expect(["TIMEOUT", "CANNOT_CONNECT"]).toContain(outcome);
    expect(known?.addresses).toEqual(away);
  });
});
