import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { toCommError } from "../../../lib/errors.ts";
import type { Transport } from "../../../lib/session/transport.ts";
import { type Listening, listen } from "../../../lib/transport/socket.ts";
import { formatFingerprint } from "../../../lib/transport/tls.ts";
import { type DialOptions, dial, type TrustWarning } from "../../../lib/trust/dial.ts";
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

describe("dialling a server of which nothing is known", () => {
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
