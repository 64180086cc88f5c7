import { CommError, type ErrorCode, TransportError, toCommError } from "../../errors.ts";
import { BY_AUTHORITY } from "../../protocol/invite.ts";
import type { Role } from "../../protocol/messages.ts";
import { parseCode } from "../../protocol/one-time-code.ts";
import { quote } from "../../quote.ts";
import { makeStateDir } from "../../state/state-dir.ts";
import { isServerName, type KnownServer, KnownServers } from "../../trust/known-servers.ts";
import type { Redeemed } from "../../trust/redeem-code.ts";
import { serverOf } from "../../trust/target.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { secondsFlag, stateDirFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { interruptible } from "../interruptible.ts";
import { serverVariable } from "../server-variable.ts";
import { processTrace } from "../trace-file.ts";
import { unlessAborted } from "../unless-aborted.ts";
import { UsageError } from "../usage-error.ts";
import { VERSION } from "../version.ts";

/** What came of connecting to the server once, for programs. */
export type Contact =
  | { readonly reached: true; readonly address: string; readonly role: Role }
  | { readonly reached: false; readonly code: ErrorCode; readonly message: string };

/** The name that `--name` gives the server. @throws UsageError */
export function serverName(flags: Flags): string | undefined {
  return flags["name"] === undefined ? undefined : checkName(String(flags["name"]));
}

/** @throws UsageError */
export function checkName(name: string): string {
  if (isServerName(name)) return name;
  throw new UsageError(
    `${quote(name)} can't name a server: use letters, digits, "_" and "-", beginning with a letter.`,
  );
}

/** The most names that are tried for a server. */
const MAX_NAMES = 100;

/**
 * Remember the server that has the code, after both have proven that they know it. The code works only once, so what
 * could fail later is checked before.
 *
 * @throws UsageError; as serversForCode() and redeemCode(); StorageError
 */
export async function joinByCode(
  line: string,
  flags: Flags,
  io: ConsoleIo,
): Promise<{ server: KnownServer; contact: Contact }> {
  const code = parseCode(line);
  if (flags["offline"] === true) throw new UsageError("A code needs its server: leave out --offline.");
  const given = serverName(flags);
  const stateDir = makeStateDir(stateDirFlag(flags));
  const redeemed = await redeem(code, flags, io);
  const server = joinAs(given ?? nameFor(redeemed), redeemed, new KnownServers(stateDir), {
    replace: flags["overwrite"] === true,
  });
  const { contact, address } = redeemed;
  if (!(contact instanceof CommError)) return { server, contact: { reached: true, address, role: contact } };
  return { server, contact: { reached: false, code: contact.code, message: contact.message } };
}

async function redeem(code: ReturnType<typeof parseCode>, flags: Flags, io: ConsoleIo): Promise<Redeemed> {
  const server = flags["server"] === undefined ? serverVariable() : String(flags["server"]);
  const settings = { server, isPlaintext: flags["plaintext"] === true, stateDir: stateDirFlag(flags) };
  // Loaded for this alone: they make every start longer.
  const { serversForCode } = await import("../../trust/code-servers.ts");
  const { redeemCode } = await import("../../trust/redeem-code.ts");
  return interruptible(async (signal) => {
    if (server === undefined && flags["json"] !== true && io.noteIsTty) io.note("Looking for its server …");
    const servers = await unlessAborted(serversForCode(settings, signal), signal);
    const options = {
      agent: `commserver-client/${VERSION}`,
      timeoutMs: secondsFlag(flags, "timeout"),
      trace: processTrace(),
      signal,
    };
    if (flags["json"] !== true && io.noteIsTty)
      io.note(`Asking ${escapeText(servers.map(({ name }) => name).join(", "))} …`);
    return redeemCode(code, servers, options).catch((thrown) => {
      throw server === undefined ? inWordsOfSearch(thrown) : thrown;
    });
  });
}

/** A failure with servers that nobody named. */
function inWordsOfSearch(thrown: unknown): unknown {
  const { code, message } = toCommError(thrown);
  if (code === "MALFORMED") return new UsageError(`${message} Name the right one with --server.`);
  if (code !== "CANNOT_CONNECT") return thrown;
  const words = "No server that announces itself here, and none on this machine, can be reached.";
  return new TransportError(code, words, { cause: thrown });
}

function nameFor({ invite: { label } }: Redeemed): string {
  return isServerName(label) ? label : "server";
}

/** Under `name`, or if that is another server's, under the next free one: the code has been used. */
function joinAs(
  name: string,
  { invite, reachedAt }: Redeemed,
  known: KnownServers,
  options: { readonly replace: boolean },
): KnownServer {
  for (let count = 1; ; count++) {
    const server = reachable(serverOf(invite, count === 1 ? name : `${name}-${count}`), reachedAt);
    try {
      known.join(server, options);
      return server;
    } catch (thrown) {
      if (!(thrown instanceof CommError) || thrown.code !== "SERVER_KNOWN" || count >= MAX_NAMES) throw thrown;
    }
  }
}

/** The address that works comes first; a certificate of an authority is for the names in the invite. */
function reachable(server: KnownServer, address: string | undefined): KnownServer {
  if (address === undefined || server.identity === BY_AUTHORITY) return server;
  return { ...server, addresses: [address, ...server.addresses.filter((each) => each !== address)].slice(0, 16) };
}
