import { Client } from "../../../lib/client/client.ts";
import { parseInvite } from "../../../lib/protocol/invite.ts";
import type { Token } from "../../../lib/protocol/token.ts";
import { systemClock } from "../../../lib/session/clock.ts";
import { connect } from "../../../lib/transport/socket.ts";
import { processorSeconds, ServerProcess } from "../processes.ts";
import { Program } from "../program.ts";
import { TempFolder } from "../temp-folder.ts";
import { isFull, type Security } from "./site.ts";

/** How long an attack lasts. */
const SIEGE_MS = isFull ? 60_000 : 4_000;
/** How often the rightful client connects at least, even on a busy machine. */
const MIN_TIMES = 10;

export interface Siege {
  readonly kind: string;
  /** Connections a second: small, and in full. */
  readonly rate: readonly [number, number];
}

export const SIEGES: readonly Siege[] = [
  { kind: "wrong-proofs", rate: [40, 200] },
  { kind: "silent", rate: [200, 500] },
  { kind: "unanswered", rate: [80, 200] },
];

export interface Endured {
  /** The outcome of each attempt of the rightful client. */
  readonly outcomes: readonly string[];
  /** The number of refusal lines in the log, and of the refusals that they count. */
  readonly lines: number;
  readonly refusals: number;
}

/**
 * A compiled server that requires tokens, attacked from the address of a client that has one and connects again and
 * again.
 */
export async function endureSiege(security: Security, { kind, rate: [few, many] }: Siege): Promise<Endured> {
  using folder = new TempFolder();
  const flags = security === "plain" ? ["--plaintext"] : [];
  await using server = await ServerProcess.start(["-r", folder.path, "--max-clients", "64", ...flags]);
  const { token } = parseInvite(server.events[0]?.["invite"]);
  const besieger = `${import.meta.dir}/besieger.ts`;
  const args = [kind, String(server.port), security, String(isFull ? many : few)];
  await using attack = new Program([process.execPath, besieger, ...args], { cwd: "/" });
  await attack.hear((line) => line === "under way");
  const outcomes: string[] = [];
  const times: number[] = [];
  const [startedAt, usedBefore] = [performance.now(), processorSeconds(server.pid)];
  while (performance.now() - startedAt < SIEGE_MS || times.length < MIN_TIMES) {
    const cameAt = performance.now();
    outcomes.push(await comeAndGo(server.port, security, token));
    times.push(performance.now() - cameAt);
    await Bun.sleep(50);
  }
  const used = processorSeconds(server.pid) - usedBefore;
  attack.endInput();
  const tally = await attack.hear((line) => line.startsWith("over"));
  server.signal("SIGTERM");
  await server.exited();
  const refused = server.events.filter(({ event }) => event === "refused");
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  console.log(
    `${`${kind} (${security})`.padEnd(22)} came ${outcomes.length} times, got in ${outcomes.filter((outcome) => outcome === "write").length}: ${at(0.5)} ms, longest ${at(1)} ms; ` +
      `the server used ${used.toFixed(2)} s of ${SIEGE_MS / 1000}; ${refused.length} lines; attack: ${tally.slice(5)}`,
  );
  return { outcomes, lines: refused.length, refusals: refused.reduce((sum, { count = 1 }) => sum + count, 0) };
}

async function comeAndGo(port: number, security: Security, token: Token): Promise<string> {
  try {
    const trust = security === "tls" ? { verify() {} } : undefined;
    const transport = await connect({ kind: "tcp", host: "127.0.0.1", port }, { timeoutMs: 20_000, trust });
    const options = { transport, clock: systemClock, agent: "rightful", wait: false, timeoutMs: 20_000, token };
    const client = await Client.connect(options);
    await client.close();
    return client.role;
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
}
