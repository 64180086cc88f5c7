import type { Command } from "../command.ts";
import { UsageError } from "../usage-error.ts";
import { CONNECTION_FLAGS, LINK_FLAGS, readConnectSettings } from "./connect-settings.ts";

/** `commands`: the names of all commands of the program. */
export const shellCommand = (commands: () => readonly string[]): Command => ({
  description: "Talk to the server line by line (the default)",
  args: { ...LINK_FLAGS, ...CONNECTION_FLAGS },
  typedOnly: ["json"],
  async run(flags, io) {
    if (flags["json"]) throw new UsageError("The shell is for people; use --json with a command, such as status.");
    const settings = await readConnectSettings(flags);
    // Imported only here, since the line editor makes every start slower.
    const { runShell } = await import("./shell.ts");
    return runShell(settings, io, commands());
  },
});
