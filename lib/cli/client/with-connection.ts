import { Client } from "../../client/client.ts";
import { Connection } from "../../client/connection.ts";
import { TransportError } from "../../errors.ts";
import type { MessageParams } from "../../protocol/methods.ts";
import { systemClock } from "../../session/clock.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { interruptible, raceAbort } from "../interruptible.ts";
import { describeError } from "../report.ts";
import { VERSION } from "../version.ts";
import type { ConnectSettings } from "./connect-settings.ts";
import { openTransport } from "./open-transport.ts";
import { findTarget, type Target } from "./target.ts";

/** How long the server may take to hear that its client was interrupted. */
const HURRIED_MS = 300;

/** Connect as the settings say. @throws as findTarget(), openTransport() and Client.connect() */
export async function connectClient(
  settings: ConnectSettings,
  io: ConsoleIo,
  options: ConnectOptions,
): Promise<Client> {
  return connectTo(findTarget(settings), settings, io, options);
}

interface ConnectOptions {
  readonly signal: AbortSignal;
  readonly resume?: string;
  onMessage(message: MessageParams): unknown;
}

async function connectTo(
  target: Target,
  { timeoutMs, acceptNew, wait, trace }: ConnectSettings,
  io: ConsoleIo,
  options: ConnectOptions,
): Promise<Client> {
  const transport = await openTransport(target, {
    timeoutMs,
    signal: options.signal,
    acceptNew,
    io,
  });
  return Client.connect({
    transport: trace(transport),
    token: target.token,
    clock: systemClock,
    agent: `commserver-client/${VERSION}`,
    wait,
    timeoutMs,
    silenceMs: silenceFor(timeoutMs),
    signal: options.signal,
    ...(options.resume !== undefined && { resume: options.resume }),
    onQueued: (position) => io.note(`The server is full: waiting for a seat, position ${position}.`),
    onMessage: options.onMessage,
  });
}

/** A server that is at work says so every 15 seconds: three times that. */
const MIN_SILENCE_MS = 45_000;

/** How long a server may be silent on a request, for somebody who waits so long for a connection. */
export function silenceFor(timeoutMs: number): number {
  return Math.max(MIN_SILENCE_MS, 3 * timeoutMs);
}

/** Run one command over a session of its own. Ctrl-C and SIGTERM end it cleanly; the second one at once. */
export async function withClient(
  settings: ConnectSettings,
  io: ConsoleIo,
  work: (client: Client, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  return interruptible(async (signal) => {
    const onMessage = (message: MessageParams) => io.log(`${formatMessage(message)}\n`);
    const client = await connectClient(settings, io, { signal, onMessage });
    try {
      return await raceAbort(work(client, signal), signal);
    } finally {
      await leave(client, signal.aborted);
    }
  });
}

/** As withClient(), for work that goes on by itself after a lost link. */
export async function withConnection(
  settings: ConnectSettings,
  io: ConsoleIo,
  work: (connection: Connection, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  return interruptible(async (signal) => {
    const note = (line: string) => io.note(line);
    const onMessage = (message: MessageParams) => io.log(`${formatMessage(message)}\n`);
    const connection = await openConnection(settings, io, { signal, connecting: signal, note, onMessage });
    try {
      return await raceAbort(work(connection, signal), signal);
    } finally {
      await leave(connection.client, signal.aborted);
    }
  });
}

/** Say goodbye, and wait until it has been heard: in a hurry only for a moment, for a server may be stopped as well. */
export async function leave(client: Client, inHurry: boolean): Promise<void> {
  await (inHurry ? Promise.race([client.close(0), Bun.sleep(HURRIED_MS)]) : client.close());
}

/** Connect as the settings say, to come back when the link is lost. @throws as connectClient() */
export async function openConnection(
  settings: ConnectSettings,
  io: ConsoleIo,
  options: {
    /** Ends all attempts; the first one has its own. */
    signal: AbortSignal;
    connecting: AbortSignal;
    note(line: string): void;
    onMessage(message: MessageParams): unknown;
  },
): Promise<Connection> {
  const { note, onMessage } = options;
  const { reconnectMs, isJson } = settings;
  let signal = options.connecting;
  let isTold = false;
  let isLocal = false;
  const reconnect = (resume: string) => {
    const target = findTarget(settings);
    // A server of this user that starts anew has not left its invite yet.
    if (isLocal && !target.isLocal) throw new TransportError("CANNOT_CONNECT", `No server runs at ${target.name} yet.`);
    isLocal = target.isLocal;
    return connectTo(target, settings, io, { signal, onMessage, ...(reconnectMs > 0 && { resume }) });
  };
  const connection = await Connection.open({
    clock: systemClock,
    reconnectMs,
    random: Math.random,
    signal: options.signal,
    connect: async (resume) => reconnect(resume),
    onLost(error) {
      // Once for each loss: the attempts in between say nothing new.
      if (!isTold && !isJson) note(`${describeError(error)} Coming back for ${reconnectMs / 1000} s …`);
      isTold = true;
    },
    onBack(client) {
      if (!isJson) note(`Back as ${escapeText(client.name)}.`);
      isTold = false;
    },
  });
  signal = options.signal;
  return connection;
}

/** `Server: text`, or `Client02 to all: text`. */
export function formatMessage({ from, to, text }: MessageParams): string {
  const aim = to.toLowerCase() === "all" ? " to all" : "";
  return `${escapeText(from)}${aim}: ${escapeText(text)}`;
}
