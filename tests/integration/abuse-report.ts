/**
 * Prints what an honest client sees while a server is abused, and what the server takes for it:
 * `bun tests/integration/abuse-report.ts [CASE…]`, with COMMSERVER_ABUSE=full in large. A case is the name of an attack, or
 * `storms`. Linux.
 */
import { CONNECTING, DEAD, FEW, FLOODS, HOARDS, hoardSite, MANY, OVER_TLS, SLOW } from "../support/abuse/attacks.ts";
import { endureSiege, SIEGES } from "../support/abuse/siege.ts";
import { AbuseSite, type Attack, isFull, type Security } from "../support/abuse/site.ts";

const cases = process.argv.slice(2);
const isWanted = (name: string) => cases.length === 0 || cases.includes(name);

const weighed: Attack[] = [FEW, MANY].flatMap((count) => HOARDS.map((kind) => ({ kind, count })));
for (const attack of [...weighed, ...DEAD].filter(({ kind }) => isWanted(kind))) {
  await using site = await AbuseSite.open("plain", hoardSite(attack.count[isFull ? 1 : 0]));
  await site.weigh(attack);
}

// Those are tests, too: their changes are checked as they come.
if (isWanted("storms")) {
  const storms = [process.execPath, "test", "--timeout", "600000", "tests/e2e/abuse-storms.test.ts"];
  await Bun.spawn(storms, { stdio: ["ignore", "inherit", "inherit"], cwd: `${import.meta.dir}/../..` }).exited;
}

const endured: [Security, readonly Attack[]][] = [
  ["plain", [...CONNECTING, ...SLOW, ...FLOODS]],
  ["tls", OVER_TLS],
];
for (const [security, attacks] of endured) {
  for (const attack of attacks.filter(({ kind }) => isWanted(kind))) {
    await using site = await AbuseSite.open(security);
    await site.endure(attack);
  }
  for (const siege of SIEGES.filter(({ kind }) => isWanted(kind))) await endureSiege(security, siege);
}
