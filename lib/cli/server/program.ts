import type { Program } from "../program.ts";
import { consoleCommand } from "./console.ts";
import { serve } from "./serve.ts";

export const serverProgram: Program = {
  name: "commserver-server",
  description: "Serves a folder to CommServer clients, and passes messages",
  commands: { serve, console: consoleCommand },
  defaultCommand: "serve",
};
