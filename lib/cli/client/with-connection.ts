import type { Client } from "../../client/client.ts";
import { Connection } from "../../client/connection.ts";
import type { MessageParams } from "../../protocol/methods.ts";
import { systemClock } from "../../session/clock.ts";
import { Connector } from "../../trust/connector.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { formatTime } from "../format.ts";
import { interruptible } from "../interruptible.ts";
import { describeError } from "../report.ts";
import { shownName } from "../shown-name.ts";
import { CLEAN_UP_MS, unlessAborted } from "../unless-aborted.ts";
import type { ConnectSettings } from "./connect-settings.ts";
import { trustPrompts } from "./trust-prompts.ts";

/** How long an interrupted client waits for its goodbye to reach the server. */
const HURRIED_MS = 300;

/** Connects with the given settings; questions and notes go to the terminal. */
export function createConnector(
  settings: ConnectSettings,
  io: ConsoleIo,
  onMessage: (message: MessageParams) => unknown,
): Connector {
  return new Connector(settings, {
    ...trustPrompts(io),
    onQueued: (position) => io.note(`The server is full: waiting for a seat, position ${position}.`),
    onMessage,
  });
}

/** Run one command over a session of its own. Ctrl-C and SIGTERM end it cleanly; the second one at once. */
export async function withClient(
  settings: ConnectSettings,
  io: ConsoleIo,
  work: (client: Client, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  return interruptible(async (signal) => {
    const client = await createConnector(settings, io, showMessages(io)).connect(signal);
    try {
      return await unlessAborted(work(client, signal), signal, CLEAN_UP_MS);
    } finally {
      await leave(client, signal.aborted);
    }
  });
}

/** As withClient(), for work that resumes by itself after a lost link. */
export async function withConnection(
  settings: ConnectSettings,
  io: ConsoleIo,
  work: (connection: Connection, signal: AbortSignal) => Promise<number>,
  onMessage = showMessages(io),
): Promise<number> {
  return interruptible(async (signal) => {
    const connection = await openConnection(createConnector(settings, io, onMessage), settings, {
      signal,
      connecting: signal,
      note: (line) => io.note(line),
    });
    try {
      return await unlessAborted(work(connection, signal), signal, CLEAN_UP_MS);
    } finally {
      await leave(connection.client, signal.aborted);
    }
  });
}

/**
 * Say goodbye, and wait until it has arrived; in a hurry only for a moment, since the server may have stopped as well.
 */
export async function leave(client: Client, inHurry: boolean): Promise<void> {
  await (inHurry ? Promise.race([client.close(0), Bun.sleep(HURRIED_MS)]) : client.close());
}

/** A connection that reconnects when its link is lost, and says so. @throws as Connector.connect() */
export async function openConnection(
  connector: Connector,
  { reconnectMs, retries, isJson }: Pick<ConnectSettings, "reconnectMs" | "retries" | "isJson">,
  options: {
    /** Ends all attempts to reconnect; the first connect has a signal of its own. */
    signal: AbortSignal;
    connecting: AbortSignal;
    note(line: string): void;
  },
): Promise<Connection> {
  const { note } = options;
  let signal = options.connecting;
  let isNoted = false;
  const connection = await Connection.open({
    clock: systemClock,
    reconnectMs,
    random: Math.random,
    signal: options.signal,
    retries,
    onRetry(error, delayMs) {
      if (!isJson) note(`${describeError(error)} Trying again in ${Math.ceil(delayMs / 1000)} s …`);
    },
    connect: (resume) => connector.connect(signal, reconnectMs > 0 ? resume : undefined),
    onLost(error) {
      // Once for each loss: further attempts say nothing new.
      if (!isNoted && !isJson) note(`${describeError(error)} Reconnecting for up to ${reconnectMs / 1000} s …`);
      isNoted = true;
    },
    onBack(client) {
      if (!isJson) note(`Connected again as ${shownName(client)}.`);
      isNoted = false;
    },
  });
  signal = options.signal;
  return connection;
}

/** What could not be shown is not accepted: the sender learns it, or the server keeps it. */
function showMessages(io: ConsoleIo): (message: MessageParams) => Promise<void> {
  return (message) => io.show(`${formatMessage(message)}\n`, "note");
}

/**
 * `Server: text`, or `bob (Client02) to all: text`. A message that was kept has its time before it:
 * `2026-11-30 14:22 bob (Client02): text`. `makeSafe` makes the text safe.
 */
export function formatMessage(message: MessageParams, makeSafe = escapeText): string {
  const { from, token, nick, to, text, sentAt, again } = message;
  const time = sentAt === undefined ? "" : `${formatTime(sentAt).slice(0, 16)} `;
  const aim = to.toLowerCase() === "all" ? " to all" : "";
  return `${time}${shownName({ name: from, token, nick })}${aim}${again ? ", perhaps again" : ""}: ${makeSafe(text)}`;
}
