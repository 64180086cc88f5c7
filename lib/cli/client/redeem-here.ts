import { TransportError, toCommError } from "../../errors.ts";
import type { OneTimeCode } from "../../protocol/one-time-code.ts";
import type { Redeemed } from "../../trust/redeem-code.ts";
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

/**
 * Prove a code to the server that the flags name, or to one that announces itself here.
 *
 * @throws UsageError; as serversForCode() and redeemCode()
 */
export async function redeemHere(code: OneTimeCode, flags: Flags, io: ConsoleIo): Promise<Redeemed> {
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
