import type { Connection } from "../../client/connection.ts";
import { awaitShare, endShare, offerShare, openShare } from "../../client/sharing.ts";
import { CommError } from "../../errors.ts";
import { MAX_SHARE_MS, MIN_SHARE_MS, type OfferShareResult, type ShareOutcome } from "../../protocol/methods.ts";
import { parseToken } from "../../protocol/token.ts";
import { privatePlaces } from "../../state/private.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { EXIT } from "../exit-codes.ts";
import { expiryFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { formatTime } from "../format.ts";
import { UsageError } from "../usage-error.ts";
import { CONNECTION_FLAGS, LINK_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { sendAll } from "./put-command.ts";
import { withClient, withConnection } from "./with-connection.ts";

export const share: Command = {
  description: "Give files to one other person by a code that they type",
  args: {
    path: { type: "positional", valueHint: "…", description: "Files and folders of this machine" },
    expires: { type: "string", valueHint: "PERIOD", default: "1h", description: "When it ends, from 1m to 24h" },
    leave: { type: "boolean", description: "Don't wait until it is fetched: it stays until then, or until it ends" },
    ...LINK_FLAGS,
    ...CONNECTION_FLAGS,
  },
  completes: { path: "file" },
  async run(flags, io) {
    const sources = flags._;
    if (sources.includes("") || sources.includes("-")) throw new UsageError("Name files or folders to share.");
    const lifeMs = shareLife(flags);
    const settings = await readConnectSettings(flags);
    const opened: { token?: string } = {};
    await withClient(settings, io, async (client) => {
      Object.assign(opened, await openShare(client, lifeMs));
      return 0;
    });
    const token = parseToken(opened.token ?? "");
    const places = privatePlaces(settings.stateDir, settings.secretFiles);
    const request = { sources, to: "", exists: "fail", digest: false, strict: true, json: settings.isJson } as const;
    return withConnection({ ...settings, token }, io, async (connection, signal) => {
      try {
        const exit = await sendAll(connection, request, { io, signal, places });
        if (exit !== 0) throw new CommError("INCOMPLETE", "Not all of it could be sent, so nothing is shared.");
        const offered = await connection.persist(offerShare);
        const isLeft = flags["leave"] === true;
        await io.out(
          settings.isJson ? `${toJson({ event: "offered", ...offered })}\n` : describeOffer(offered, isLeft),
        );
        return isLeft ? EXIT.DONE : await waitForEnd(connection, signal, io, settings.isJson);
      } catch (thrown) {
        await endShare(connection.client).catch(() => {});
        throw thrown;
      }
    });
  },
};

/** @throws UsageError */
function shareLife(flags: Flags): number {
  const ms = expiryFlag(flags, "expires", 0) ?? 0;
  if (ms >= MIN_SHARE_MS && ms <= MAX_SHARE_MS) return ms;
  throw new UsageError("--expires takes a period from 1m to 24h.");
}

/** Wait for what comes of the share, and say it. @throws CommError INTERRUPTED; as awaitShare() */
async function waitForEnd(
  connection: Connection,
  signal: AbortSignal,
  io: ConsoleIo,
  isJson: boolean,
): Promise<number> {
  const interrupted = Promise.withResolvers<never>();
  const onAbort = () => interrupted.reject(new CommError("INTERRUPTED", "Interrupted."));
  signal.addEventListener("abort", onAbort);
  interrupted.promise.catch(() => {});
  const outcome = await Promise.race([
    connection.persist((client) => awaitShare(client).finally(() => connection.noteHeld())),
    interrupted.promise,
  ]).finally(() => signal.removeEventListener("abort", onAbort));
  if (isJson) await io.out(`${toJson({ event: "over", ...(outcome ?? { outcome: "ended" }) })}\n`);
  else await io.out(`${describeOutcome(outcome)}\n`);
  return outcome?.outcome === "fetched" ? EXIT.DONE : EXIT.INCOMPLETE;
}

/** Instructions for the other person. */
export function describeOffer(
  { code, endsAt, address, isPlaintext, isAnnounced }: OfferShareResult,
  isLeft: boolean,
): string {
  const fetch = `commserver-client fetch ${escapeText(code)}`;
  const away = `${fetch} --server ${escapeText(address)}${isPlaintext ? " --plaintext" : ""}`;
  const where = isAnnounced
    ? `In the network of the server:\n\n  ${fetch}\n\nFrom elsewhere:\n\n  ${away}`
    : `On the other machine:\n\n  ${away}`;
  return (
    `The code works once, until ${formatTime(endsAt)}:\n\n  ${escapeText(code)}\n\n${where}\n` +
    (isLeft ? "" : "\nWaiting until it is fetched. Ctrl-C takes it back.\n")
  );
}

function describeOutcome(outcome: ShareOutcome | undefined): string {
  switch (outcome?.outcome) {
    case "fetched":
      return `It was fetched from ${escapeText(outcome.address ?? "?")}, and is gone from the server.`;
    case "spoilt":
      return "Somebody tried the code wrongly, so nobody can use it. It is gone from the server: share it again.";
    case "expired":
      return "Nobody has fetched all of it in time. It is gone from the server.";
    default:
      return "It was taken back: it is gone from the server.";
  }
}
