import type { ArgsDef } from "citty";
import { Client } from "../../client/client.ts";
import { Connection } from "../../client/connection.ts";
import { CommError, TransportError } from "../../errors.ts";
import type { MessageParams } from "../../protocol/methods.ts";
import { systemClock } from "../../session/clock.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { type Flags, secondsFlag } from "../flags.ts";
import { describeError } from "../report.ts";
import { onSignals } from "../terminal/signals.ts";
import { processTrace } from "../trace-file.ts";
import { VERSION } from "../version.ts";
import { openTransport } from "./open-transport.ts";
import { findTarget, type Target } from "./target.ts";

/** How long a command may take to end after Ctrl-C. */
const CLEAN_UP_MS = 500;

/** How long the server may take to hear that its client was interrupted. */
const HURRIED_MS = 300;

/** Flags of every client command. */
export const CONNECTION_FLAGS = {
  server: {
    type: "string",
    alias: "s",
    valueHint: "SERVER",
    description: "A server that was joined, HOST:PORT, [IPV6]:PORT or unix:PATH; default: localhost:5050",
  },
  wait: { type: "boolean", alias: "w", description: "Queue for a seat when the server is full" },
  timeout: {
    type: "string",
    valueHint: "SECONDS",
    default: "10",
    description: "How long connecting may take; a silent request: 3 times that, at least 45",
  },
  "token-file": { type: "string", valueHint: "FILE", description: "Take the token from a file; -: standard input" },
  "invite-file": { type: "string", valueHint: "FILE", description: "Take an invite from a file; -: standard input" },
  "accept-new": { type: "boolean", description: "Trust a server at first sight, and remember its identity" },
  ca: { type: "string", valueHint: "FILE", description: "Trust the authorities in FILE (PEM), and check the name" },
  plaintext: { type: "boolean", description: "Talk without encryption, to a server that does so too" },
  "state-dir": { type: "string", valueHint: "DIR", description: "Where known servers and the history are" },
  json: { type: "boolean", description: "Print JSON for programs" },
} as const satisfies ArgsDef;

/** Flags of commands that take long enough to lose a link. */
export const RECONNECT_FLAGS = {
  reconnect: {
    type: "string",
    valueHint: "SECONDS",
    default: "60",
    description: "How long to try to come back when the link is lost; 0: not at all",
  },
} as const satisfies ArgsDef;

/** Connect as the flags say. @throws as findTarget(), openTransport() and Client.connect() */
export async function connectClient(flags: Flags, io: ConsoleIo, options: ConnectOptions): Promise<Client> {
  return connectTo(await findTarget(flags, options.signal), flags, io, options);
}

interface ConnectOptions {
  readonly signal: AbortSignal;
  readonly resume?: string;
  onMessage(message: MessageParams): unknown;
}

async function connectTo(target: Target, flags: Flags, io: ConsoleIo, options: ConnectOptions): Promise<Client> {
  const timeoutMs = secondsFlag(flags, "timeout");
  const trace = processTrace();
  const transport = await openTransport(target, {
    timeoutMs,
    signal: options.signal,
    acceptNew: flags["accept-new"] === true,
    io,
  });
  return Client.connect({
    transport: trace(transport),
    token: target.token,
    clock: systemClock,
    agent: `commserver-client/${VERSION}`,
    wait: flags["wait"] === true,
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

/** Run one command over a session of its own. Ctrl-C and SIGTERM end it in order; the second one at once. */
export async function withClient(
  flags: Flags,
  io: ConsoleIo,
  work: (client: Client, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  return interruptible(async (signal) => {
    const onMessage = (message: MessageParams) => io.log(`${formatMessage(message)}\n`);
    const client = await connectClient(flags, io, { signal, onMessage });
    try {
      return await raceAbort(work(client, signal), signal);
    } finally {
      await leave(client, signal.aborted);
    }
  });
}

/** As withClient(), for work that goes on by itself after a lost link. */
export async function withConnection(
  flags: Flags,
  io: ConsoleIo,
  work: (connection: Connection, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  return interruptible(async (signal) => {
    const note = (line: string) => io.note(line);
    const onMessage = (message: MessageParams) => io.log(`${formatMessage(message)}\n`);
    const connection = await openConnection(flags, io, { signal, connecting: signal, note, onMessage });
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

/** Connect as the flags say, to come back when the link is lost. @throws as connectClient() */
export async function openConnection(
  flags: Flags,
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
  const reconnectMs = reconnectFlag(flags);
  let signal = options.connecting;
  let isTold = false;
  let isLocal = false;
  const reconnect = async (resume: string) => {
    const target = await findTarget(flags, signal);
    // A server of this user that starts anew has not left its invite yet.
    if (isLocal && !target.isLocal) throw new TransportError("CANNOT_CONNECT", `No server runs at ${target.name} yet.`);
    isLocal = target.isLocal;
    return connectTo(target, flags, io, { signal, onMessage, ...(reconnectMs > 0 && { resume }) });
  };
  const connection = await Connection.open({
    clock: systemClock,
    reconnectMs,
    random: Math.random,
    signal: options.signal,
    connect: reconnect,
    onLost(error) {
      // Once for each loss: the attempts in between say nothing new.
      if (!isTold && flags["json"] !== true) note(`${describeError(error)} Coming back for ${reconnectMs / 1000} s …`);
      isTold = true;
    },
    onBack(client) {
      if (flags["json"] !== true) note(`Back as ${escapeText(client.name)}.`);
      isTold = false;
    },
  });
  signal = options.signal;
  return connection;
}

function reconnectFlag(flags: Flags): number {
  return String(flags["reconnect"]) === "0" ? 0 : secondsFlag(flags, "reconnect");
}

async function interruptible(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const interrupt = new AbortController();
  const offSignals = onSignals(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"], () => {
    offSignals(); // the next one ends the program by itself
    interrupt.abort();
  });
  try {
    return await work(interrupt.signal);
  } finally {
    offSignals();
  }
}

/**
 * `work`, or INTERRUPTED when the signal comes first: then work gets a moment to clean up behind itself, but a
 * server that does not answer can't hold the person.
 */
export async function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onAbort = () => {
    timer = setTimeout(() => aborted.reject(new CommError("INTERRUPTED", "Interrupted.")), CLEAN_UP_MS);
  };
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** `Server: text`, or `Client02 to all: text`. */
export function formatMessage({ from, to, text }: MessageParams): string {
  const aim = to.toLowerCase() === "all" ? " to all" : "";
  return `${escapeText(from)}${aim}: ${escapeText(text)}`;
}
