/**
 * Attacks without a token, from the address of clients with one, in a process of its own. Arguments: which, the port,
 * "tls" or "plain", how many connections a second. Prints "under way" when it is in force, and "over" with a tally;
 * lasts until its input ends.
 */
import { Client } from "../../../lib/client/client.ts";
import { toCommError } from "../../../lib/errors.ts";
import { systemClock } from "../../../lib/session/clock.ts";
import { ScramClient } from "../../../lib/session/scram-client.ts";
import type { Transport } from "../../../lib/session/transport.ts";
import { connect } from "../../../lib/transport/socket.ts";
import { helloOf } from "../access-server.ts";

const [kind = "", port, security, rate] = process.argv.slice(2);
const TLS = security === "tls" ? { trust: { verify() {} } } : {};
/** Connections that wait for their end. */
const MAX_HELD = 1_500;
const LATE_MS = 50;
const WRONG = { name: "default", secret: "w".repeat(43) };

const tally: Record<string, number> = {};
const note = (what: string) => {
  tally[what] = (tally[what] ?? 0) + 1;
};

const dial = (options = TLS) =>
  connect({ kind: "tcp", host: "127.0.0.1", port: Number(port) }, { timeoutMs: 20_000, ...options });

/** Resolves when the server, or this process, has ended it. */
function untilOver(transport: Transport): Promise<void> {
  return new Promise((resolve) => {
    transport.start({ onBytes() {}, onDrain() {}, onClosed: () => resolve() });
    void stopped.then(() => transport.abort());
  });
}

const attacks: Record<string, () => Promise<void>> = {
  async "wrong-proofs"() {
    const transport = await dial();
    const options = { transport, clock: systemClock, agent: "guesser", token: WRONG, wait: false, timeoutMs: 20_000 };
    await Client.connect(options).then(
      () => note("in"),
      (thrown) => note(toCommError(thrown).code),
    );
  },
  /** No byte is sent, not even of TLS. */
  async silent() {
    await untilOver(await dial({}));
    note("ended");
  },
  /** Asks for a challenge, and never answers it. */
  async unanswered() {
    const transport = await dial();
    transport.write(helloOf(new ScramClient(WRONG, transport.channelBinding)));
    await untilOver(transport);
    note("ended");
  },
};

let isStopped = false;
const stopped = (async () => {
  for await (const _ of Bun.stdin.stream());
  isStopped = true;
})();

const held = new Set<Promise<void>>();
let due = performance.now();
for (let count = 0; !isStopped; count++) {
  if (count === Number(rate)) console.log("under way");
  if (held.size < MAX_HELD) {
    const attempt = (attacks[kind] as () => Promise<void>)()
      .catch((thrown) => note(toCommError(thrown).code))
      .finally(() => held.delete(attempt));
    held.add(attempt);
  }
  // On a busy machine it is late, and catches up only a little: hundreds at once would be another attack.
  due = Math.max(due + 1_000 / Number(rate), performance.now() - LATE_MS);
  await Bun.sleep(Math.max(0, due - performance.now()));
}
await Promise.race([Promise.all(held), Bun.sleep(5_000)]);
console.log(`over ${JSON.stringify(tally)}`);
process.exit(0);
