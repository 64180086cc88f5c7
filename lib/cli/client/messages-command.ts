import type { Client } from "../../client/client.ts";
import { collectKept, hasMailbox } from "../../client/kept-messages.ts";
import { CommError, endsSession, toCommError } from "../../errors.ts";
import type { MessageParams } from "../../protocol/methods.ts";
import { errorOf } from "../../session/session-end.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { toJson } from "../escape.ts";
import { plural } from "../format.ts";
import { describeError } from "../report.ts";
import { CONNECTION_FLAGS, RECONNECT_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { formatMessage, withConnection } from "./with-connection.ts";

export const messages: Command = {
  description: "Show the messages that were kept for you; with --follow also those to come",
  args: {
    follow: { type: "boolean", alias: "f", description: "Then show new ones as they come, until Ctrl-C" },
    ...RECONNECT_FLAGS,
    ...CONNECTION_FLAGS,
  },
  async run(flags, io) {
    const follow = flags["follow"] === true;
    const settings = await readConnectSettings(flags);
    // Acknowledged when it is written: what nobody could read is kept.
    const show = (message: MessageParams) =>
      io.show(`${settings.isJson ? toJson(message) : formatMessage({ sentAt: Date.now(), ...message })}\n`, "out");
    const work = async (client: Client) => {
      if (hasMailbox(client)) {
        const { messages: count, left } = await collectKept(client);
        if (count === 0 && !follow && io.outIsTty && !settings.isJson) await io.out("No messages are kept for you.\n");
        if (left > 0) throw new CommError("INCOMPLETE", leftWords(left));
      } else if (!follow) throw new CommError("NOT_ALLOWED", "This server keeps no messages.");
      if (follow) throw errorOf(await client.ended);
    };
    return withConnection(
      settings,
      io,
      async (connection) => {
        await connection.persist((client) => work(client).finally(() => connection.noteHeld()));
        return 0;
      },
      show,
    );
  },
};

/**
 * Have kept messages shown in a person's shell, whose session continues whatever comes of it. A piped script may not
 * look at what is written beside its answers. `print` shows a line.
 */
export async function showKept(client: Client, io: ConsoleIo, print: (line: string) => unknown): Promise<void> {
  if (!io.inIsTty || !hasMailbox(client)) return;
  try {
    const { left } = await collectKept(client);
    if (left > 0) print(leftWords(left));
  } catch (thrown) {
    const error = toCommError(thrown);
    if (!endsSession(error)) print(describeError(error));
  }
}

function leftWords(left: number): string {
  return `${plural(left, "message")} could not be shown, and will come again: commserver-client messages`;
}
