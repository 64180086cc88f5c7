import { get as getCommand } from "./get-command.ts";
import { put as putCommand } from "./put-command.ts";
import type { ShellCommand } from "./shell-call.ts";
import { getLine, putLine, syncLine } from "./shell-transfers.ts";
import { sync as syncCommand } from "./sync-command.ts";

/** The commands that move files, also in the background. */
export const TRANSFER_COMMANDS: Readonly<Record<string, ShellCommand>> = {
  get: {
    usage: "get PATH [DEST]",
    description: "Fetch a file, a folder, or what a pattern selects",
    follows: "words",
    args: getCommand.args,
    names: "repository",
    isTransfer: true,
    run: getLine(false),
  },
  mget: {
    usage: "mget PATH…",
    description: "Fetch several",
    follows: "words",
    args: getCommand.args,
    names: "repository",
    isTransfer: true,
    run: getLine(true),
  },
  put: {
    usage: "put PATH [DIR]",
    description: "Send a file, a folder, or what a pattern selects",
    follows: "words",
    args: putCommand.args,
    names: "here",
    isTransfer: true,
    run: putLine(false),
  },
  mput: {
    usage: "mput PATH…",
    description: "Send several",
    follows: "words",
    args: putCommand.args,
    names: "here",
    isTransfer: true,
    run: putLine(true),
  },
  sync: {
    usage: "sync DIR :DIR, sync :DIR DIR",
    description: "Make the second folder the same; : is the server",
    follows: "words",
    args: syncCommand.args,
    names: "sides",
    isTransfer: true,
    run: syncLine,
  },
};
