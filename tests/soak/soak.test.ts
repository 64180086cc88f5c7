import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Socket } from "bun";
import { binaries } from "../support/binaries.ts";
import { TempFolder } from "../support/temp-folder.ts";
import type { Site } from "./site.ts";
import { soak } from "./soak.ts";

const SECONDS = Number(process.env["COMMSERVER_SOAK_SECONDS"] ?? 10);
const SEED = Number(process.env["COMMSERVER_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
/** Steps under way are waited for, and a seat for its grace time. */
const TIMEOUT_MS = 4 * SECONDS * 1000 + 90_000;

const kept = new TempFolder();

beforeAll(async () => {
  await binaries();
}, 120_000);

afterAll(() => kept[Symbol.dispose]());

/** A soak of `seconds` with two checkpoints. */
function share(seconds: number, kills: number, plant?: (site: Site) => void | Promise<void>) {
  const lines: string[] = [];
  const options = {
    seconds,
    seed: SEED,
    kills,
    checkpointSeconds: seconds / 2,
    keep: kept.join(`${seconds}-${kills}`),
  };
  return soak({ ...options, print: (line) => lines.push(line), ...(plant && { plant }) });
}

test(
  `everything at once for ${SECONDS} s, with faults: nothing is found (COMMSERVER_SEED=${SEED})`,
  async () => {
    const report = await share(SECONDS, 1);
    console.log(report.text);
    expect(report.findings).toEqual([]);
    expect(report.checkpoints).toBeGreaterThanOrEqual(2);
    expect(report.operations).toBeGreaterThan(SECONDS);
  },
  TIMEOUT_MS,
);

describe("a planted fault is found", () => {
  test(
    "a byte more in a file of the repository, and a file that nobody sent",
    async () => {
      const { findings, folder } = await share(1, 0, (site) => {
        appendFileSync(join(site.repository, "common", "c3.bin"), "x");
        writeFileSync(join(site.repository, "stray.txt"), "x");
      });
      const details = findings.map(({ what, detail }) => `${what}: ${detail}`);
      expect(details).toContainEqual(expect.stringMatching(/repository that is not right: common\/c3\.bin/));
      expect(details).toContainEqual(expect.stringMatching(/nobody sent: stray\.txt/));
      expect(readdirSync(join(folder, "finding-1"))).toContain("server.log");
    },
    TIMEOUT_MS,
  );

  test(
    "an unfinished file, a session that stays, and a descriptor that is held",
    async () => {
      const held: Socket[] = [];
      let round = 0;
      const { findings } = await share(1, 0, async (site) => {
        if (round++ > 0) return;
        writeFileSync(join(site.repository, "common", "c1.bin.commserver-part"), "x");
        site.clients.begin(["watch", "--reconnect", "0"]);
        while (site.events.live.length === 0) await Bun.sleep(10);
        // The server hangs up on who says nothing for ten seconds: another comes in time.
        for (let wait = 0; wait < 4; wait++) {
          setTimeout(async () => held.push(await connectTo(site)), wait * 6_000);
        }
      });
      for (const socket of held) socket.terminate();
      const whats = findings.map(({ what }) => what);
      expect(whats).toContain("unfinished files that nobody goes on with");
      expect(whats).toContain("seats that are not free");
      expect(whats).toContain("live rows in the ledger");
      expect(whats).toContain("descriptors that stay open");
    },
    TIMEOUT_MS,
  );
});

function connectTo({ port }: Site): Promise<Socket> {
  return Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {}, error() {} } });
}
