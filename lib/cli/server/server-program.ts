import type { LazyProgram } from "../lazy-program.ts";

export const serverProgram: LazyProgram = {
  name: "commserver-server",
  description: "Serves a folder to commserver-client, and passes messages.",
  commands: {
    serve: async () => (await import("./serve-command.ts")).serve,
    console: async () => (await import("./console.ts")).consoleCommand,
    token: async () => (await import("./token-command.ts")).token,
    invite: async () => (await import("./invite-command.ts")).invite,
    identity: async () => (await import("./identity-command.ts")).identity,
    config: async () => (await import("../configuration/config-command.ts")).configCommand(() => serverProgram),
    completions: async () =>
      (await import("../completion/completions-command.ts")).completionsCommand(
        () => serverProgram,
        async (...asked) => (await import("../client/completion-names.ts")).findNames(...asked),
      ),
    help: async () => (await import("../help-commands.ts")).helpCommand(() => serverProgram),
    version: async () => (await import("../help-commands.ts")).versionCommand(() => serverProgram),
  },
  defaultCommand: "serve",
  examples: [
    "commserver-server                                serve ./repository, port 5050",
    "commserver-server /srv/files --max-clients 50",
    "commserver-server token add laptop --role write  an invite for another machine",
    "commserver-server invite laptop --code           ten digits to type elsewhere",
    "commserver-server console                        operate the running server",
    "commserver-server console kick Client02          the same with one command",
  ],
};
