import { Client } from "../client/client.ts";
import { CodeProver } from "../codes/code-prover.ts";
import { CommError, ERRORS, toCommError } from "../errors.ts";
import type { Invite } from "../protocol/invite.ts";
import type { Role } from "../protocol/messages.ts";
import type { OneTimeCode } from "../protocol/one-time-code.ts";
import { systemClock } from "../session/clock.ts";
import type { Transport } from "../session/transport.ts";
import { type Address, formatAddress } from "../transport/address.ts";
import { connectFirst } from "../transport/connect-first.ts";
import { locate } from "./locate.ts";

/** A server that may have the code. */
export interface CodeServer {
  /** For people. */
  readonly name: string;
  readonly addresses: readonly Address[];
  readonly isPlaintext: boolean;
}

export interface RedeemOptions {
  readonly agent: string;
  readonly timeoutMs: number;
  readonly trace: (transport: Transport) => Transport;
  readonly signal: AbortSignal;
}

/** What came of a code that was proven. */
export interface Redeemed {
  readonly invite: Invite;
  /** The address that the server answered at. */
  readonly address: string;
  /** Where others reach it, too, as it was given: `HOST:PORT`; undefined for a socket of this machine. */
  readonly reachedAt: string | undefined;
  /** The role of the session that followed; else why there was none. */
  readonly contact: Role | CommError;
}

/** After the first server has the code, others have this long to say that they have it, too. */
const DECIDE_MS = 2_000;

/**
 * Prove a code to the one server that has it. All are asked for its plate, which is no secret; the proof itself, which
 * costs a code if it is wrong, goes to one of them.
 *
 * @throws CommError NO_SUCH_CODE; MALFORMED when several servers have such a code; ACCESS_DENIED when the code is wrong;
 * WRONG_IDENTITY; as connectFirst() and connectSession() when no server answers
 */
export async function redeemCode(
  code: OneTimeCode,
  servers: readonly CodeServer[],
  options: RedeemOptions,
): Promise<Redeemed> {
  const given = new AbortController();
  const signal = AbortSignal.any([options.signal, given.signal]);
  const attempts = servers.map((server) => new Attempt(code, server, { ...options, signal }));
  try {
    return await (await chosenOf(attempts)).redeem();
  } finally {
    given.abort();
    await Promise.allSettled(attempts.map((attempt) => attempt.result));
  }
}

/** The one attempt whose server has such a code. */
async function chosenOf(attempts: readonly Attempt[]): Promise<Attempt> {
  const answers = Promise.allSettled(attempts.map((attempt) => attempt.offered));
  await Promise.any(attempts.map((attempt) => attempt.offered)).catch(() => {});
  await Promise.race([answers, Bun.sleep(DECIDE_MS)]);
  const offering = attempts.filter((attempt) => attempt.hasOffered);
  const [chosen, ...others] = offering;
  if (chosen !== undefined && others.length === 0) return chosen;
  if (chosen !== undefined) {
    const names = offering.map(({ server }) => server.name).join(", ");
    throw new CommError("MALFORMED", `Several servers have a code with these first digits: ${names}.`);
  }
  throw mostTelling(
    (await answers).flatMap((answer) => (answer.status === "rejected" ? [toCommError(answer.reason)] : [])),
  );
}

function mostTelling(errors: readonly CommError[]): CommError {
  const answered = errors.find(({ code }) => code !== "NO_SUCH_CODE" && !ERRORS[code].unreachable);
  const without = errors.find(({ code }) => code === "NO_SUCH_CODE");
  return answered ?? without ?? errors[0] ?? new CommError("NO_SUCH_SERVER", "There is no server to ask.");
}

/** The proof of a code to one server, which waits before its last step. */
class Attempt {
  readonly server: CodeServer;
  /** Settles when the server has answered: it has such a code, or not. */
  readonly offered: Promise<void>;
  readonly result: Promise<Redeemed>;
  hasOffered = false;
  readonly #offer = Promise.withResolvers<void>();
  readonly #chosen = Promise.withResolvers<void>();

  constructor(code: OneTimeCode, server: CodeServer, options: RedeemOptions) {
    this.server = server;
    this.offered = this.#offer.promise;
    this.offered.catch(() => {});
    options.signal.addEventListener("abort", () => this.#chosen.reject(new CommError("INTERRUPTED", "Interrupted.")));
    this.#chosen.promise.catch(() => {});
    this.result = this.#run(code, options);
    this.result.catch((thrown) => this.#offer.reject(thrown));
  }

  /** Go on with this one. */
  redeem(): Promise<Redeemed> {
    this.#chosen.resolve();
    return this.result;
  }

  async #run(code: OneTimeCode, { agent, timeoutMs, trace, signal }: RedeemOptions): Promise<Redeemed> {
    const { addresses, isPlaintext } = this.server;
    const located = (await Promise.all(addresses.map((each) => locate(each, { timeoutMs, signal })))).flat();
    const transport = await connectFirst(located, {
      timeoutMs,
      signal,
      // The code proves the server, over this very channel: no certificate needs to be known.
      ...(!isPlaintext && { trust: { verify() {} } }),
    });
    const prover = new CodeProver(code, {
      binding: transport.channelBinding,
      onOffered: () => {
        this.hasOffered = true;
        this.#offer.resolve();
        return this.#chosen.promise;
      },
    });
    const contact = await Client.connect({
      transport: trace(transport),
      prover,
      clock: systemClock,
      agent,
      wait: false,
      timeoutMs,
      signal,
    }).then(
      async (client) => {
        await client.close(0);
        return client.role;
      },
      (thrown) => toCommError(thrown),
    );
    const { invite } = prover;
    if (invite !== undefined)
      return { invite, address: transport.peer, reachedAt: placeOf(addresses, transport.peer), contact };
    throw typeof contact === "string" ? new CommError("WRONG_IDENTITY", "The server hands over no invite.") : contact;
  }
}

/** The only address as it was typed; of several, the one that answered. */
function placeOf([only, ...others]: readonly Address[], peer: string): string | undefined {
  if (only === undefined || others.length > 0) return peer;
  return only.kind === "unix" ? undefined : formatAddress(only);
}
