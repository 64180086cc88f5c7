import { openIdentity, rotateIdentityOf } from "../../daemon/identity.ts";
import { stateWarnings } from "../../state/exposed-state.ts";
import { identityFile, makeStateDir } from "../../state/state-dir.ts";
import { formatFingerprint } from "../../transport/tls.ts";
import type { Command } from "../command.ts";
import { escapeText, toJson } from "../escape.ts";
import { exposureText } from "../exposure-words.ts";
import { stateDirFlag } from "../flag-values.ts";
import { UsageError } from "../usage-error.ts";

export const identity: Command = {
  description: "Show the fingerprint of this server's identity, or replace it",
  args: {
    action: {
      type: "positional",
      required: false,
      description: "rotate: make a new identity; all clients must join again",
    },
    "state-dir": { type: "string", valueHint: "DIR", description: "The state folder of the server" },
    json: { type: "boolean", description: "Print JSON for programs" },
  },
  completes: { action: ["rotate"] },
  async run(flags, io) {
    const [action] = flags._;
    if (action !== undefined && action !== "rotate")
      throw new UsageError(`Write identity, or identity rotate, not "${action}".`);
    const stateDir = makeStateDir(stateDirFlag(flags));
    const file = identityFile(stateDir);
    const { digest } = action === "rotate" ? await rotateIdentityOf(stateDir) : await openIdentity(file);
    const fingerprint = formatFingerprint(digest);
    for (const warning of stateWarnings(stateDir, file)) io.note(`Warning: ${escapeText(exposureText(warning))}`);
    await io.out(flags["json"] ? `${toJson({ fingerprint, file })}\n` : `${fingerprint}\n`);
    if (action === "rotate")
      io.note("Clients that know the old identity refuse this one until they forget the old one or join again.");
    return 0;
  },
};
