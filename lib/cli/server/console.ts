import type { Client } from "../../client/client.ts";
import { Operator } from "../../client/operator.ts";
import { connectLocalOperator } from "../../daemon/operator-connection.ts";
import { CommError } from "../../errors.ts";
import { CONNECTION_FLAGS, readConnectSettings } from "../client/connect-settings.ts";
import { createConnector } from "../client/with-connection.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { toJson } from "../escape.ts";
import { secondsFlag, stateDirFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { onSignals } from "../terminal/signals.ts";
import { UsageError } from "../usage-error.ts";
import { obeyOperator } from "./operator-commands.ts";
import { runOperatorConsole } from "./operator-console.ts";
import { programOptions } from "./program-options.ts";

export const consoleCommand: Command = {
  description: "Operate a running server: interactively, or with one command",
  args: {
    command: {
      type: "positional",
      required: false,
      valueHint: "…",
      description: "status, kick NAME, token add NAME, link PATH, drain, drain off, quit, or a message to all",
    },
    limit: { type: "string", alias: "n", valueHint: "N", description: "With status: newest sessions to show" },
    expires: { type: "string", valueHint: "PERIOD", description: "With link: when it ends, such as 12h; default: 7d" },
    ...CONNECTION_FLAGS,
    server: {
      ...CONNECTION_FLAGS.server,
      description: "A server on another machine, with an operator's token; default: the server of this state folder",
    },
    "state-dir": { type: "string", valueHint: "DIR", description: "The state folder of the server" },
  },
  async run(flags, io) {
    checkUse(flags);
    const operator = new Operator(await connectOperator(flags, io));
    try {
      if (flags._.length > 0) {
        await obeyOperator(operator, lineOf(flags), io, (text, facts) =>
          io.out(flags["json"] ? `${toJson({ text, ...facts })}\n` : `${text}\n`),
        );
        return 0;
      }
      await attach(operator, io);
      return 0;
    } finally {
      await operator.client.close();
    }
  },
};

/** Flags that say how to reach another machine. */
const OF_NETWORK = ["wait", "token-file", "invite-file", "accept-new", "ca", "plaintext"];

/** @throws UsageError for flags that would be ignored */
function checkUse(flags: Flags): void {
  if (flags["json"] === true && flags._.length === 0) {
    throw new UsageError("The console is for people; use --json with a command, such as console status.");
  }
  const lonely = OF_NETWORK.find((name) => flags["server"] === undefined && flags[name] !== undefined);
  if (lonely !== undefined)
    throw new UsageError(`--${lonely} goes with --server; the console of this machine needs none.`);
  if (flags["limit"] !== undefined && flags._[0]?.toLowerCase() !== "status") {
    throw new UsageError("--limit goes with console status.");
  }
  if (flags["expires"] !== undefined && flags._[0]?.toLowerCase() !== "link") {
    throw new UsageError("--expires goes with console link.");
  }
}

function lineOf(flags: Flags): string {
  const more = ["limit", "expires"].flatMap((name) => (flags[name] === undefined ? [] : [`--${name}`, flags[name]]));
  return [...flags._, ...more].join(" ");
}

async function attach(operator: Operator, io: ConsoleIo): Promise<void> {
  // Close at once: the stream of events would not end by itself.
  const leave = () => void operator.client.close(0);
  const offSignals = onSignals(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"], leave);
  if (io.inIsTty) await io.out('Attached to the server. Ctrl-D detaches, "help" lists the commands.\n');
  await runOperatorConsole({ operator, io, onLeave: leave });
  offSignals();
}

/** Connects by the socket in the state folder, or over the network with a token of the role "operator". */
async function connectOperator(flags: Flags, io: ConsoleIo): Promise<Client> {
  if (flags["server"] === undefined) {
    return connectLocalOperator(stateDirFlag(flags), { ...programOptions(), timeoutMs: secondsFlag(flags, "timeout") });
  }
  const connector = createConnector(await readConnectSettings(flags), io, () => {});
  const client = await connector.connect(new AbortController().signal);
  if (client.role === "operator") return client;
  await client.close();
  throw new CommError("NOT_ALLOWED", `This token has the role "${client.role}"; the console needs "operator".`);
}
