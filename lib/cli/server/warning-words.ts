import type { DaemonWarning } from "../../daemon/warnings.ts";
import { toCommError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import type { LockFault } from "../../storage/local/locks/lock-probe.ts";
import { exposureText } from "../exposure-words.ts";
import { inFlagWords } from "../flag-words.ts";
import { plural } from "../format.ts";
import { stateDirWords } from "../shown-command.ts";

const NO_SOCKET = "No operator's socket:";

const NO_LOCKS: Record<LockFault, string> = {
  windows: "The program uses no file locks on Windows",
  "no calls": "No file locks, because this program may not call the C library (MemoryDenyWriteExecute?)",
  disk: "No file locks on this disk",
};

/** A warning to the server's operator, in words; not escaped. */
export function warningText(warning: DaemonWarning): string {
  switch (warning.kind) {
    case "changeable state":
    case "readable key":
      return exposureText(warning);
    case "private place":
      return `The repository holds ${quote(warning.place)}, which belongs to CommServer itself: it is never listed, served or changed.`;
    case "few descriptors":
      return fewDescriptors(warning);
    case "unwritable repository":
      return `Clients may write (--writable), but nothing can be written to the repository: ${warning.fault}`;
    case "no file locks":
      return `${NO_LOCKS[warning.fault]}: folders beside unfinished files are their locks instead. When a machine goes down, its locks end after 2 minutes.`;
    case "no local invite":
      return `No invite for this machine: ${toCommError(inFlagWords(warning.fault)).message}`;
    case "never started": {
      const start = `commserver-server --repository DIR${stateDirWords(warning.stateDir)}`;
      return `No server has ever run with the state folder ${quote(warning.stateDir)}. The invite is for a server that is started with: ${start}`;
    }
    case "not announced":
      return `Not announced: the server listens only at ${warning.host}, where no other machine reaches it.`;
    case "long socket path":
      return `${NO_SOCKET} its path ${warning.path} is longer than ${warning.maxBytes} bytes.`;
    case "exposed socket":
      return `${NO_SOCKET} others on this machine could use it, or put their own in its place. Use this server's own terminal, or a token of the role operator.`;
    case "no socket":
      return `${NO_SOCKET} ${warning.fault}`;
  }
}

function fewDescriptors({ limit, wanted, left }: Extract<DaemonWarning, { kind: "few descriptors" }>): string {
  const promised = `${plural(wanted.maxClients, "seat")} and ${wanted.maxWaiting} waiting clients`;
  const rest = `${plural(left.maxClients, "seat")}, ${left.maxWaiting} waiting clients, ${plural(left.maxFiles, "open file")}`;
  return `Only ${limit} files may be open at once, too few for ${promised}. The server has only ${rest}. Raise the limit (ulimit -Hn, LimitNOFILE=).`;
}
