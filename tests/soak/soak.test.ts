import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Socket } from "bun";
import { binaries } from "../support/binaries.ts";
import { TempFolder } from "../support/temp-folder.ts";
import type { SoakOptions } from "./options.ts";
import type { Report } from "./report.ts";
import type { Site } from "./site.ts";
import { soak } from "./soak.ts";

/** How long everything runs at once, for who wants that here; `npm run soak` does the same, and tells how it goes. */
const SECONDS = Number(process.env["COMMSERVER_SOAK_SECONDS"] ?? 0);
const SEED = Number(process.env["COMMSERVER_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
/** Steps under way are waited for, and a seat for its grace time. */
const TIMEOUT_MS = 4 * SECONDS * 1000 + 90_000;

const kept = new TempFolder();

beforeAll(async () => {
  await binaries();
}, 180_000);

afterAll(() => kept[Symbol.dispose]());

type Terms = Pick<SoakOptions, "seconds" | "kills" | "checkpointSeconds" | "settleSeconds">;
const SHORT: Terms = { seconds: 1, kills: 0, checkpointSeconds: 1, settleSeconds: 4 };

function share(terms: Terms, plant?: SoakOptions["plant"]): Promise<Report> {
  const keep = kept.join(Bun.randomUUIDv7());
  return soak({ ...terms, seed: SEED, keep, print() {}, ...(plant && { plant }) });
}

// Its faults come at random: what it finds is to be looked into, and holds up nobody else's change.
if (SECONDS > 0) {
  test(
    `everything at once for ${SECONDS} s, with faults: nothing is found (COMMSERVER_SEED=${SEED})`,
    async () => {
      const report = await share({ seconds: SECONDS, kills: 1, checkpointSeconds: SECONDS / 2, settleSeconds: 15 });
      console.log(report.text);
      expect(report.findings).toEqual([]);
      expect(report.checkpoints).toBeGreaterThanOrEqual(2);
      expect(report.operations).toBeGreaterThan(SECONDS);
    },
    TIMEOUT_MS,
  );
}

describe("a planted fault is found", () => {
  test(
    "a byte more in a file of the repository, and a file that nobody sent",
    async () => {
      const { findings, folder } = await share(SHORT, (site) => {
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
      const { findings } = await share(SHORT, async (site) => {
        writeFileSync(join(site.repository, "common", "c1.bin.commserver-part"), "x");
        site.clients.begin(["watch", "--reconnect", "0"]);
        while (site.events.live.length === 0) await Bun.sleep(10);
        // The server hangs up on who says nothing for ten seconds: another comes when it looks.
        for (const afterMs of [0, 4_000, 8_000]) setTimeout(async () => held.push(await connectTo(site)), afterMs);
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
