import type { Client } from "../../client/client.ts";
import { Operator } from "../../client/operator.ts";
import { connectLocalOperator } from "../../daemon/operator-connection.ts";
import { CommError } from "../../errors.ts";
import { CONNECTION_FLAGS, readConnectSettings } from "../client/connect-settings.ts";
import { createConnector } from "../client/with-connection.ts";
import type { Command } from "../command.ts";
import { isTyped } from "../configuration/origins.ts";
import type { ConsoleIo } from "../console-io.ts";
import { toJson } from "../escape.ts";
import { secondsFlag, stateDirFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { askYesNo } from "../terminal/ask-yes-no.ts";
import { openPrompt } from "../terminal/open-input.ts";
import { onSignals } from "../terminal/signals.ts";
import { UsageError } from "../usage-error.ts";
import type { AnswerIo } from "./operator-answer.ts";
import { answerRecord, OPERATOR_WORDS, obeyOperator } from "./operator-commands.ts";
import { runOperatorConsole } from "./operator-console.ts";
import { parseOperatorLine } from "./operator-line.ts";
import { programOptions } from "./program-options.ts";
import { LIMIT_FLAGS } from "./token-limits.ts";

/** Flags of single commands. */
const ONLY_WITH: Readonly<Record<string, readonly string[]>> = {
  all: ["status"],
  limit: ["status"],
  expires: ["link", "token"],
  yes: ["stop"],
  ...Object.fromEntries(Object.keys(LIMIT_FLAGS).map((name) => [name, ["token"]])),
};

export const consoleCommand: Command = {
  description: "Operate a running server: interactively, or with one command",
  args: {
    command: {
      type: "positional",
      required: false,
      valueHint: "…",
      description:
        "status, say TEXT, @NAME TEXT, kick NAME, token add NAME, link PATH, drain, drain off, unfinished, stop, help",
    },
    all: { type: "boolean", alias: "a", description: "With status: the ledger, also sessions that have ended" },
    limit: { type: "string", alias: "n", valueHint: "N", description: "With status: newest sessions of the ledger" },
    expires: { type: "string", valueHint: "PERIOD", description: "With link and token add: when it ends, such as 12h" },
    ...LIMIT_FLAGS,
    yes: { type: "boolean", alias: "y", description: "With stop: do not ask, even if clients are connected" },
    ...CONNECTION_FLAGS,
    server: {
      ...CONNECTION_FLAGS.server,
      description: "A server on another machine, with an operator's token; default: the server of this state folder",
    },
    "state-dir": { type: "string", valueHint: "DIR", description: "The state folder of the server" },
  },
  // A variable for the client must not lead the operator to another server.
  typedOnly: ["server", ...Object.keys(ONLY_WITH)],
  completes: { command: OPERATOR_WORDS },
  async run(flags, io) {
    checkUse(flags);
    const operator = new Operator(await connectOperator(flags, io));
    try {
      if (flags._.length > 0) {
        await obeyOperator(operator, lineOf(flags), roomOf(flags, io), (answer, isJson) =>
          io.out(flags["json"] === true || isJson ? `${toJson(answerRecord(answer))}\n` : `${answer.text}\n`),
        );
        return 0;
      }
      return await attach(operator, io);
    } finally {
      await operator.client.close();
    }
  },
};

/** Flags that say how to reach another machine. */
const OF_NETWORK = ["wait", "token-file", "invite-file", "accept-new", "ca", "plaintext"];

/** @throws UsageError for flags that would be ignored */
function checkUse(flags: Flags): void {
  if (isTyped(flags, "json") && flags["json"] === true && flags._.length === 0) {
    throw new UsageError("The console is for people; use --json with a command, such as console status.");
  }
  const lonely = OF_NETWORK.find((name) => flags["server"] === undefined && isTyped(flags, name));
  if (lonely !== undefined)
    throw new UsageError(`--${lonely} is only for --server; the console of this machine does not need it.`);
  // A mistyped command is refused before anything connects.
  if (flags._.length > 0) parseOperatorLine(lineOf(flags), OPERATOR_WORDS);
  const word = flags._[0]?.toLowerCase() ?? "";
  for (const [name, words] of Object.entries(ONLY_WITH)) {
    const isGiven = flags[name] !== undefined && flags[name] !== false;
    if (isGiven && !words.includes(word)) throw new UsageError(`--${name} is only for console ${words[0]}.`);
  }
}

function lineOf(flags: Flags): string {
  const words = Object.keys(ONLY_WITH)
    .filter((name) => name !== "yes")
    .flatMap((name) => {
      const value = flags[name];
      if (typeof value === "string") return [`--${name}`, /[\s"'\\]/.test(value) ? JSON.stringify(value) : value];
      return value === true ? [`--${name}`] : [];
    });
  return [...flags._, ...words].join(" ");
}

/** A single command asks only a person. */
function roomOf(flags: Flags, io: ConsoleIo): AnswerIo {
  const { color, outColumns } = io;
  const asks = io.inIsTty && io.noteIsTty && flags["yes"] !== true && flags["json"] !== true;
  return { color, outColumns, ...(asks && { confirmStop: (connected) => confirmStop(connected, io) }) };
}

async function confirmStop(connected: string, io: ConsoleIo): Promise<boolean> {
  io.note(connected);
  const input = openPrompt(io);
  try {
    return await askYesNo(input, "Stop the server?");
  } finally {
    input.close();
  }
}

/** @returns the exit code: of a piped script that of its last failure */
async function attach(operator: Operator, io: ConsoleIo): Promise<number> {
  // Close at once: the stream of events would not end by itself.
  const leave = () => void operator.client.close(0);
  const offSignals = onSignals(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"], leave);
  if (io.inIsTty) await io.out('Attached to the server. "exit" or Ctrl-D leaves, "help" lists the commands.\n');
  const exit = await runOperatorConsole({ operator, io, onLeave: leave });
  offSignals();
  return io.inIsTty ? 0 : exit;
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
