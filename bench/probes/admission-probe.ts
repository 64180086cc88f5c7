/**
 * Admissions as in every program: admission-probe INVITE-FILE. Takes {"count":N,"parallel":P} on standard input: N
 * times TCP, TLS, the proof of the token and WELCOME, P at once; answers with the median and 99th percentile in
 * milliseconds, and the total.
 */
import { Client } from "../../lib/client/client.ts";
import { parseInvite } from "../../lib/protocol/invite.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { parseAddress } from "../../lib/transport/address.ts";
import { connect } from "../../lib/transport/socket.ts";
import { median, quantile } from "../support/statistics.ts";

const TIMEOUT_MS = 10_000;

const { addresses, identity, token } = parseInvite(await Bun.file(process.argv[2] ?? "").text());
const address = parseAddress(addresses[0] ?? "");

for await (const line of console) {
  if (line === "") break; // the end of the input
  const { count, parallel } = JSON.parse(line) as { count: number; parallel: number };
  const times: number[] = [];
  let left = count;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (left-- > 0) times.push(await admitOnce());
    }),
  );
  const allMs = performance.now() - startedAt;
  console.log(JSON.stringify({ medianMs: median(times), p99Ms: quantile(times, 0.99), allMs }));
}

async function admitOnce(): Promise<number> {
  const startedAt = performance.now();
  const verify = ({ fingerprint }: { fingerprint: string }) => {
    if (fingerprint !== identity) throw new Error("another server");
  };
  const client = await Client.connect({
    transport: await connect(address, { timeoutMs: TIMEOUT_MS, trust: { verify } }),
    token,
    clock: systemClock,
    agent: "admission-probe",
    wait: false,
    timeoutMs: TIMEOUT_MS,
  });
  const ms = performance.now() - startedAt;
  await client.close();
  return ms;
}
