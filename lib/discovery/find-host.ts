import { lookup } from "node:dns/promises";
import { setTimeout as pause } from "node:timers/promises";
import { Neighbourhood } from "./neighbourhood.ts";
import { Questioner } from "./questioner.ts";

/** When to ask again, in milliseconds after the start. */
const ASK_AT_MS = [1_000, 3_000, 7_000];
/** The most addresses that are returned. */
const MAX_ADDRESSES = 16;
/** Further addresses come in one packet with the first, or in the next. */
const MORE_MS = 100;

/**
 * The addresses of a machine by its name in `.local`: as the system knows them, or else as the machine itself answers.
 * Programs that are linked statically, and many systems, can't look up such names.
 *
 * @returns none when nobody answers within `timeoutMs`
 */
export async function findHost(host: string, timeoutMs: number, signal: AbortSignal): Promise<string[]> {
  const found = new AbortController();
  const ending = AbortSignal.any([signal, found.signal]);
  const bySystem = lookup(host, { all: true }).then((all) => all.map(({ address }) => address));
  try {
    return await Promise.any([bySystem, askFor(host.replace(/\.$/, ""), timeoutMs, ending)]);
  } catch {
    return [];
  } finally {
    found.abort();
  }
}

/** @throws Error when nobody answers; AbortError */
async function askFor(host: string, timeoutMs: number, signal: AbortSignal): Promise<string[]> {
  const neighbourhood = new Neighbourhood();
  const isFound = Promise.withResolvers<void>();
  using questioner = new Questioner((records, from) => {
    neighbourhood.add(records, from);
    if (neighbourhood.addressesOf(host).length > 0) isFound.resolve();
  });
  const ask = () =>
    questioner.ask([
      { name: host, type: "A" },
      { name: host, type: "AAAA" },
    ]);
  ask();
  const timers = ASK_AT_MS.map((ms) => setTimeout(ask, ms));
  try {
    await Promise.race([isFound.promise, pause(timeoutMs, undefined, { signal })]);
    await pause(MORE_MS, undefined, { signal });
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
  const addresses = neighbourhood.addressesOf(host);
  if (addresses.length === 0) throw new Error("no answer");
  // All of them are dialled: a machine has few, and others may have answered with many more.
  return addresses.slice(0, MAX_ADDRESSES);
}
