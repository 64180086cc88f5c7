import { CommError, type ErrorCode } from "../../errors.ts";
import type { Role } from "../../protocol/messages.ts";
import { parseCode } from "../../protocol/one-time-code.ts";
import { quote } from "../../quote.ts";
import { makeStateDir } from "../../state/state-dir.ts";
import { isServerName, type KnownServer, KnownServers } from "../../trust/known-servers.ts";
import type { Redeemed } from "../../trust/redeem-code.ts";
import { serverOf } from "../../trust/target.ts";
import type { ConsoleIo } from "../console-io.ts";
import { stateDirFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import { withAddress } from "./known-place.ts";
import { redeemHere } from "./redeem-here.ts";

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
  const redeemed = await redeemHere(code, flags, io);
  const server = joinAs(given ?? nameFor(redeemed), redeemed, new KnownServers(stateDir), {
    replace: flags["overwrite"] === true,
  });
  const { contact, address } = redeemed;
  if (!(contact instanceof CommError)) return { server, contact: { reached: true, address, role: contact } };
  return { server, contact: { reached: false, code: contact.code, message: contact.message } };
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
    const addresses = withAddress(invite, reachedAt);
    const server = serverOf({ ...invite, addresses }, count === 1 ? name : `${name}-${count}`);
    try {
      known.join(server, options);
      return server;
    } catch (thrown) {
      if (!(thrown instanceof CommError) || thrown.code !== "SERVER_KNOWN" || count >= MAX_NAMES) throw thrown;
    }
  }
}
