import type { Program } from "../command.ts";
import { digest } from "./digest.ts";
import { get } from "./get.ts";
import { join } from "./join.ts";
import { list } from "./list.ts";
import { ping } from "./ping.ts";
import { put } from "./put.ts";
import { remove } from "./remove.ts";
import { rename } from "./rename.ts";
import { send } from "./send.ts";
import { forget, servers } from "./servers.ts";
import { shell } from "./shell.ts";
import { status } from "./status.ts";
import { unfinished } from "./unfinished.ts";
import { watch } from "./watch.ts";

export const clientProgram: Program = {
  name: "commserver-client",
  description: "Moves files to and from a commserver-server, and passes messages.",
  commands: {
    shell,
    status,
    list,
    get,
    put,
    send,
    watch,
    digest,
    remove,
    rename,
    ping,
    unfinished,
    join,
    servers,
    forget,
  },
  defaultCommand: "shell",
  examples: [
    "commserver-client                                talk to the server on this machine",
    "commserver-client join csinvite1_…               remember a server on another machine",
    "commserver-client list --server lab              what it has",
    'commserver-client get "docs/report.pdf" notes.txt --output inbox/',
    "commserver-client put photos/ --to inbox          a folder with all below it",
    'commserver-client send "lunch?" --to Client02',
  ],
};
