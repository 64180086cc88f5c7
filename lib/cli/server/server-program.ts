import type { Program } from "../command.ts";
import { completionsCommand } from "../completion/completions-command.ts";
import { configCommand } from "../configuration/config-command.ts";
import { helpCommand, versionCommand } from "../help-commands.ts";
import { consoleCommand } from "./console.ts";
import { identity } from "./identity-command.ts";
import { serve } from "./serve-command.ts";
import { token } from "./token-command.ts";

export const serverProgram: Program = {
  name: "commserver-server",
  description: "Serves a folder to commserver-client, and passes messages.",
  commands: {
    serve,
    console: consoleCommand,
    token,
    identity,
    config: configCommand(() => serverProgram),
    completions: completionsCommand(
      () => serverProgram,
      async (...asked) => (await import("../client/completion-names.ts")).findNames(...asked),
    ),
    help: helpCommand(() => serverProgram),
    version: versionCommand(() => serverProgram),
  },
  defaultCommand: "serve",
  examples: [
    "commserver-server                                serve ./repository, port 5050",
    "commserver-server /srv/files --max-clients 50",
    "commserver-server token add laptop --role write  an invite for another machine",
    "commserver-server console                        operate the running server",
    "commserver-server console kick Client02          the same with one command",
  ],
};
