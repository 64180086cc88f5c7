import { networkInterfaces } from "node:os";
import { CommError } from "../../errors.ts";
import { type Address, formatAddress, isLoopback, isScopeless } from "../../transport/address.ts";
import { connectFirst } from "../../transport/connect-first.ts";
import type { SocketTransport } from "../../transport/socket-transport.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { describeError } from "../report.ts";
import { LineEditor } from "../terminal/line-editor.ts";
import type { Target } from "./target.ts";
import { trustIn, UnknownIdentity } from "./trust.ts";

/** Networks in which an address without one is looked for. */
const MAX_SCOPES = 16;

interface Opening {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Trust who is seen for the first time without a question. */
  readonly acceptNew: boolean;
  readonly io: ConsoleIo;
}

/**
 * A transport to the server that is meant, and to no other. One that is seen for the first time is trusted when the person,
 * or --accept-new, says so, and known from then on.
 *
 * @throws as connect(); CommError WRONG_IDENTITY, UNKNOWN_IDENTITY
 */
export async function openTransport(target: Target, opening: Opening): Promise<SocketTransport> {
  const { timeoutMs, signal, acceptNew, io } = opening;
  const addresses = target.addresses.flatMap(withScopes);
  if (target.warning !== undefined) io.note(escapeText(target.warning));
  if (target.isPlaintext) {
    warnOfPlaintext(target, io);
    return connectFirst(addresses, { timeoutMs, signal });
  }
  const onTrusted = (identity: string) => rememberServer(target, identity, io);
  try {
    return await connectFirst(addresses, {
      timeoutMs,
      signal,
      trust: trustIn(target, { acceptNew, onTrusted }),
    });
  } catch (thrown) {
    if (!(thrown instanceof UnknownIdentity)) throw thrown;
    const { fingerprint } = thrown;
    if (!(await askToTrust(target.name, fingerprint, opening))) throw thrown;
    rememberServer(target, fingerprint, io);
    return openTransport({ ...target, identity: fingerprint }, opening);
  }
}

/** What else is known of it stays. Where nothing can be kept, as in a home that is read-only, it is trusted this once. */
function rememberServer({ book, name, addresses }: Target, identity: string, io: ConsoleIo): void {
  try {
    book.save({ ...book.find(name), name, addresses: addresses.map(formatAddress), identity });
  } catch (thrown) {
    io.note(`The identity of ${escapeText(name)} can't be kept for the next time: ${describeError(thrown)}`);
  }
}

/** A link-local address means a machine on one of the networks that this one is in: it is looked for in each. */
function withScopes(address: Address): Address[] {
  if (address.kind !== "tcp" || !isScopeless(address.host)) return [address];
  const { host } = address;
  const near = Object.entries(networkInterfaces()).filter(([, list]) =>
    list?.some((one) => !one.internal && one.address.startsWith("fe80:")),
  );
  if (near.length === 0) return [address];
  return near.slice(0, MAX_SCOPES).map(([name]) => ({ ...address, host: `${host}%${name}` }));
}

/** Off loopback: a choice that somebody may have forgotten. */
function warnOfPlaintext({ addresses, name }: Target, io: ConsoleIo): void {
  const isAway = addresses.some((address) => address.kind === "tcp" && !isLoopback(address.host));
  if (isAway) io.note(`Warning: nothing that goes to ${escapeText(name)} and back is encrypted (--plaintext).`);
}

/** @throws CommError INTERRUPTED */
async function askToTrust(name: string, fingerprint: string, { io, signal }: Opening): Promise<boolean> {
  if (!io.inIsTty || !io.noteIsTty) return false;
  io.note(`The identity of ${escapeText(name)} is not known yet. Compare it with what the server shows at its start:`);
  io.note(`  ${fingerprint}`);
  const editor = new LineEditor({ input: process.stdin, output: process.stderr, screen: io.screen, history: [] });
  const close = () => editor.close();
  signal.addEventListener("abort", close);
  try {
    const answer = await editor.next("Trust it from now on? [y/N] ");
    if (answer.kind === "interrupt" || signal.aborted) throw new CommError("INTERRUPTED", "Interrupted.");
    return answer.kind === "line" && /^y(es)?$/i.test(answer.text.trim());
  } finally {
    signal.removeEventListener("abort", close);
    editor.close();
  }
}
