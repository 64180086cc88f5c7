/**
 * Prints what an honest client sees while a server is abused: `bun tests/integration/abuse-report.ts [ATTACK…]`, with
 * COMMSERVER_ABUSE=full in large.
 */
import { CONNECTING, FLOODS, OVER_TLS, SLOW } from "../support/abuse/attacks.ts";
import { AbuseSite, type Attack, type Security } from "../support/abuse/site.ts";

const wanted = process.argv.slice(2);
const plan: [Security, readonly Attack[]][] = [
  ["plain", [...CONNECTING, ...SLOW, ...FLOODS]],
  ["tls", OVER_TLS],
];
for (const [security, attacks] of plan) {
  for (const attack of attacks) {
    if (wanted.length > 0 && !wanted.includes(attack.kind)) continue;
    await using site = await AbuseSite.open(security);
    await site.endure(attack);
  }
}
