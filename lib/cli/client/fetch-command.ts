import { endShare } from "../../client/sharing.ts";
import { CommError, toCommError } from "../../errors.ts";
import type { Invite } from "../../protocol/invite.ts";
import { type OneTimeCode, parseCode } from "../../protocol/one-time-code.ts";
import { privatePlaces } from "../../state/private.ts";
import { Fetches } from "../../trust/fetches.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import type { Flags } from "../flags.ts";
import { readSecret } from "../secret-source.ts";
import { UsageError } from "../usage-error.ts";
import { CONNECTION_FLAGS, LINK_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { fetchAll } from "./get-command.ts";
import { withAddress } from "./known-place.ts";
import { redeemHere } from "./redeem-here.ts";
import { existsPolicy, TRANSFER_FLAGS } from "./transfer-flags.ts";
import { typedSource } from "./typed-paths.ts";
import { withConnection } from "./with-connection.ts";

const { overwrite, "skip-existing": skipExisting, rename, digest } = TRANSFER_FLAGS;
const { server, nick, wait, timeout, plaintext, "state-dir": stateDir, json } = CONNECTION_FLAGS;

export const fetch: Command = {
  description: "Get what somebody shares, by their code",
  args: {
    code: {
      type: "positional",
      required: false,
      valueHint: "…",
      description: "The ten digits; -: from standard input",
    },
    output: { type: "string", alias: "o", valueHint: "DIR", description: "A folder for it; default: this one" },
    ...{ overwrite, "skip-existing": skipExisting, rename, digest },
    ...LINK_FLAGS,
    ...{ server, nick, wait, timeout, plaintext, "state-dir": stateDir, json },
  },
  completes: { server: "server", output: "folder" },
  async run(flags, io) {
    const code = await codeOf(flags);
    const settings = await readConnectSettings(flags);
    const fetches = new Fetches(settings.stateDir);
    fetches.prepare(settings.stateDir);
    const invite = fetches.find(code) ?? (await redeem(code, fetches, flags, io));
    const places = privatePlaces(settings.stateDir, settings.secretFiles);
    const request = {
      sources: [typedSource(".")],
      output: flags["output"] === undefined ? undefined : String(flags["output"]),
      exists: existsPolicy(flags),
      digest: flags["digest"] === true,
      strict: true,
      json: settings.isJson,
    };
    const isPlaintext = invite.identity === null;
    const connect = { ...settings, server: undefined, invite, token: invite.token, ca: undefined, isPlaintext };
    const exit = await withConnection(connect, io, async (connection, signal) => {
      const done = await fetchAll(connection, request, { io, signal, places });
      if (done === 0) await connection.persist(endShare);
      return done;
    }).catch((thrown) => {
      throw isOver(thrown) ? forgotten(code, fetches, thrown) : thrown;
    });
    if (exit === 0) fetches.forget(code);
    return exit;
  },
};

/** Prove the code. What it leads to is kept before anything is fetched. */
async function redeem(code: OneTimeCode, fetches: Fetches, flags: Flags, io: ConsoleIo): Promise<Invite> {
  const { invite, reachedAt } = await redeemHere(code, flags, io);
  const kept = { ...invite, addresses: withAddress(invite, reachedAt) };
  fetches.save(code, kept);
  return kept;
}

/** The share that an earlier run began to fetch has ended meanwhile. */
function isOver(thrown: unknown): boolean {
  const { code } = toCommError(thrown);
  return code === "ACCESS_DENIED" || code === "WRONG_IDENTITY";
}

function forgotten(code: OneTimeCode, fetches: Fetches, cause: unknown): CommError {
  fetches.forget(code);
  return new CommError("NO_SUCH_CODE", "The share is over: it has expired, or was taken back.", { cause });
}

async function codeOf(flags: Flags): Promise<OneTimeCode> {
  const given = flags._.length === 0 ? undefined : flags._.join("");
  const line = given === "-" ? await readSecret(given, "") : given;
  if (line === undefined) throw new UsageError("Name the code: fetch CODE, or fetch - to read it from standard input.");
  return parseCode(line);
}
