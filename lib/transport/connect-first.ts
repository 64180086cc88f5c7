import { CommError, ERRORS, toCommError } from "../errors.ts";
import type { Address } from "./address.ts";
import { connect } from "./socket.ts";
import type { SocketTransport } from "./socket-transport.ts";

/** Each address gets this head start before the next one is tried. Source: RFC 8305, section 5. */
const HEAD_START_MS = 250;

/**
 * Connect to the first of several addresses of one server that answers correctly. `options` as in connect().
 *
 * @throws the most useful of the failures: from an address where another server answers, rather than from one where
 * none does
 */
export async function connectFirst(
  addresses: readonly Address[],
  options: Parameters<typeof connect>[1],
): Promise<SocketTransport> {
  const [only, ...others] = addresses;
  if (only !== undefined && others.length === 0) return connect(only, options);
  const beaten = new AbortController();
  const signal = options.signal === undefined ? beaten.signal : AbortSignal.any([options.signal, beaten.signal]);
  let winner: SocketTransport | undefined;
  let previous: Promise<unknown> = Promise.resolve();
  let begun: Promise<void> = Promise.resolve();
  const attempts = addresses.map((address, index) => {
    const before = previous;
    const earlier = begun;
    const begins = Promise.withResolvers<void>();
    begun = begins.promise;
    const attempt = (async () => {
      const headStart = () => earlier.then(() => Bun.sleep(HEAD_START_MS));
      if (index > 0) await Promise.race([before.catch(() => {}), headStart()]);
      begins.resolve();
      if (winner !== undefined) throw new CommError("INTERRUPTED", "Another address was faster.");
      const transport = await connect(address, { ...options, signal });
      if (winner !== undefined) transport.abort();
      winner ??= transport;
    })();
    previous = Promise.all([before.catch(() => {}), attempt.catch(() => {})]);
    return attempt;
  });
  const outcomes = Promise.allSettled(attempts);
  await Promise.any(attempts).catch(() => {});
  beaten.abort();
  if (winner !== undefined) return winner;
  throw tellingMost(
    (await outcomes).flatMap((outcome) => (outcome.status === "rejected" ? [toCommError(outcome.reason)] : [])),
  );
}

function tellingMost(errors: readonly CommError[]): CommError {
  const [first, ...others] = errors;
  const telling = [first, ...others].find((error) => error !== undefined && !ERRORS[error.code].unreachable);
  return telling ?? first ?? new CommError("CANNOT_CONNECT", "The server has no address.");
}
