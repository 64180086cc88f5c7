import type { Program } from "../program.ts";
import { get } from "./get.ts";
import { list } from "./list.ts";
import { ping } from "./ping.ts";
import { send } from "./send.ts";
import { shell } from "./shell.ts";
import { status } from "./status.ts";

export const clientProgram: Program = {
  name: "commserver-client",
  description: "Lists and fetches the files of a commserver-server, and passes messages.",
  commands: { shell, status, list, get, send, ping },
  defaultCommand: "shell",
  examples: [
    "commserver-client                                talk to the server on this machine",
    "commserver-client list --server 192.0.2.7        what a server on another machine has",
    'commserver-client get "docs/report.pdf" notes.txt --output inbox/',
    'commserver-client send "lunch?" --to Client02',
  ],
};
