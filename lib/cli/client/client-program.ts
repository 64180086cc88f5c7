import type { Program } from "../command.ts";
import { completionsCommand } from "../completion/completions-command.ts";
import { configCommand } from "../configuration/config-command.ts";
import { helpCommand, versionCommand } from "../help-commands.ts";
import { digest } from "./digest-command.ts";
import { du } from "./du-command.ts";
import { get } from "./get-command.ts";
import { join } from "./join-command.ts";
import { list } from "./list-command.ts";
import { mkdir } from "./mkdir-command.ts";
import { ping } from "./ping-command.ts";
import { put } from "./put-command.ts";
import { remove } from "./remove-command.ts";
import { rename } from "./rename-command.ts";
import { send } from "./send-command.ts";
import { forget, servers } from "./servers-command.ts";
import { shell } from "./shell-command.ts";
import { status } from "./status-command.ts";
import { sync } from "./sync-command.ts";
import { unfinished } from "./unfinished-command.ts";
import { use } from "./use-command.ts";
import { watch } from "./watch-command.ts";

export const clientProgram: Program = {
  name: "commserver-client",
  description: "Moves files to and from a commserver-server, and passes messages.",
  commands: {
    shell,
    status,
    list,
    get,
    put,
    sync,
    send,
    watch,
    digest,
    mkdir,
    remove,
    rename,
    du,
    ping,
    unfinished,
    join,
    use,
    servers,
    forget,
    config: configCommand(() => clientProgram),
    completions: completionsCommand(
      () => clientProgram,
      async (...asked) => (await import("./completion-names.ts")).findNames(...asked),
    ),
    help: helpCommand(() => clientProgram),
    version: versionCommand(() => clientProgram),
  },
  defaultCommand: "shell",
  examples: [
    "commserver-client                         talk to the server on this machine",
    "commserver-client join csinvite1_…        remember a server on another machine",
    "commserver-client list --server lab       list what it has",
    "commserver-client use lab                 from now on, --server is not needed",
    'commserver-client get "docs/report.pdf" notes.txt --output inbox/',
    "commserver-client put photos/ --to inbox  send a folder and everything in it",
    "commserver-client sync photos/ :photos     make a folder of the server the same",
    'commserver-client send "lunch?" --to Client02',
  ],
};
