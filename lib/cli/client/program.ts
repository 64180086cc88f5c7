import type { Program } from "../program.ts";
import { get } from "./get.ts";
import { list } from "./list.ts";
import { ping } from "./ping.ts";
import { send } from "./send.ts";
import { shell } from "./shell.ts";
import { status } from "./status.ts";

export const clientProgram: Program = {
  name: "commserver-client",
  description: "Lists, fetches, sends and talks to a CommServer",
  commands: { shell, status, list, get, send, ping },
  defaultCommand: "shell",
};
