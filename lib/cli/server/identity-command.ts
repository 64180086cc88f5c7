import { CommError, toCommError } from "../../errors.ts";
import { openIdentity, rotateIdentity } from "../../server/identity.ts";
import { Ledger } from "../../server/ledger.ts";
import { serverWarnings } from "../../state/exposed-state.ts";
import { identityFile, ledgerFile, makeStateDir } from "../../state/state-dir.ts";
import { formatFingerprint } from "../../transport/tls.ts";
import type { Command } from "../command.ts";
import { escapeText, toJson } from "../escape.ts";
import { stateDirFlag } from "../flags.ts";
import { UsageError } from "../usage-error.ts";

export const identity: Command = {
  description: "Show the fingerprint of this server's identity, or replace it",
  args: {
    action: {
      type: "positional",
      required: false,
      description: "rotate: make a new identity; all clients must join anew",
    },
    "state-dir": { type: "string", valueHint: "DIR", description: "The state folder of the server" },
    json: { type: "boolean", description: "Print JSON for programs" },
  },
  async run(flags, io) {
    const [action] = flags._;
    if (action !== undefined && action !== "rotate")
      throw new UsageError(`identity, or identity rotate, not "${action}".`);
    const stateDir = makeStateDir(stateDirFlag(flags));
    const file = identityFile(stateDir);
    const { digest } = action === "rotate" ? await rotate(stateDir, file) : await openIdentity(file);
    const fingerprint = formatFingerprint(digest);
    for (const warning of serverWarnings(stateDir, file)) io.note(`Warning: ${escapeText(warning)}`);
    await io.out(flags["json"] ? `${toJson({ fingerprint, file })}\n` : `${fingerprint}\n`);
    if (action === "rotate")
      io.note("Clients that know the old identity refuse this one until they forget it or join anew.");
    return 0;
  },
};

/** @throws CommError STATE_IN_USE */
function lock(stateDir: string): Ledger {
  try {
    return Ledger.open(ledgerFile(stateDir));
  } catch (cause) {
    if (toCommError(cause).code !== "STATE_IN_USE") throw cause;
    throw new CommError("STATE_IN_USE", "A server runs with this identity.", { cause });
  }
}

/** A server that runs would go on with the old one: its ledger's lock says that none does. */
async function rotate(stateDir: string, file: string) {
  const ledger = lock(stateDir);
  try {
    return await rotateIdentity(file);
  } finally {
    ledger.close();
  }
}
