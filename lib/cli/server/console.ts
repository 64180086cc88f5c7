import { Client } from "../../client/client.ts";
import { Operator } from "../../client/operator.ts";
import { TransportError } from "../../errors.ts";
import { systemClock } from "../../session/clock.ts";
import { connect } from "../../transport/socket.ts";
import type { ConsoleIo } from "../console-io.ts";
import { type Flags, secondsFlag } from "../flags.ts";
import type { Command } from "../program.ts";
import { defaultStateDir, operatorSocket } from "../state-dir.ts";
import { VERSION } from "../version.ts";
import { obeyOperator } from "./operator-commands.ts";
import { runOperatorConsole } from "./operator-console.ts";

export const consoleCommand: Command = {
  description: "Operate a running server: interactively, or with one command",
  args: {
    command: {
      type: "positional",
      required: false,
      valueHint: "…",
      description: "status, kick NAME, drain, drain off, quit, or a message to all",
    },
    timeout: { type: "string", valueHint: "SECONDS", default: "10", description: "How long connecting may take" },
    "state-dir": { type: "string", valueHint: "DIR", description: "The state folder of the server" },
  },
  async run(flags, io) {
    const operator = new Operator(await connectOperator(flags));
    try {
      if (flags._.length > 0) {
        await io.out(`${await obeyOperator(operator, flags._.join(" "), io)}\n`);
        return 0;
      }
      await attach(operator, io);
      return 0;
    } finally {
      await operator.client.close();
    }
  },
};

async function attach(operator: Operator, io: ConsoleIo): Promise<void> {
  // At once: the stream of events would not end by itself.
  const leave = () => void operator.client.close(0);
  process.once("SIGTERM", leave);
  if (io.inIsTty) await io.out('Attached to the server. Ctrl-D detaches, "help" lists the commands.\n');
  await runOperatorConsole({ operator, io, onLeave: leave });
  process.off("SIGTERM", leave);
}

async function connectOperator(flags: Flags): Promise<Client> {
  const timeoutMs = secondsFlag(flags, "timeout");
  const path = operatorSocket(String(flags["state-dir"] ?? defaultStateDir()));
  const transport = await connect({ kind: "unix", path }, { timeoutMs }).catch((cause) => {
    throw new TransportError("CANNOT_CONNECT", `No server runs with the operator's socket ${path}.`, { cause });
  });
  return Client.connect({
    transport,
    clock: systemClock,
    agent: `commserver-server/${VERSION}`,
    wait: false,
    timeoutMs,
  });
}
