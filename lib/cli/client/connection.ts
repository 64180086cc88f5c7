import type { ArgsDef } from "citty";
import { Client } from "../../client/client.ts";
import { CommError } from "../../errors.ts";
import type { MessageParams } from "../../protocol/methods.ts";
import { systemClock } from "../../session/clock.ts";
import { parseAddress } from "../../transport/address.ts";
import { connect } from "../../transport/socket.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { type Flags, secondsFlag } from "../flags.ts";
import { VERSION } from "../version.ts";

/** How long a command may take to end after Ctrl-C. */
const CLEAN_UP_MS = 500;

/** Flags of every client command. */
export const CONNECTION_FLAGS = {
  server: {
    type: "string",
    alias: "s",
    valueHint: "ADDRESS",
    default: "localhost:5050",
    description: "HOST:PORT, [IPV6]:PORT or unix:PATH",
  },
  wait: { type: "boolean", alias: "w", description: "Queue for a seat when the server is full" },
  timeout: { type: "string", valueHint: "SECONDS", default: "10", description: "How long connecting may take" },
  plaintext: { type: "boolean", description: "Talk without encryption (this version always does)" },
  "state-dir": { type: "string", valueHint: "DIR", description: "Where the shell keeps its history" },
  json: { type: "boolean", description: "Print JSON for programs" },
} as const satisfies ArgsDef;

/** Connect as the flags say. @throws as connect() and Client.connect(), UsageError */
export async function connectClient(
  flags: Flags,
  io: ConsoleIo,
  options: { signal: AbortSignal; onMessage(message: MessageParams): void },
): Promise<Client> {
  const address = parseAddress(String(flags["server"]));
  const timeoutMs = secondsFlag(flags, "timeout");
  const transport = await connect(address, { timeoutMs, signal: options.signal });
  return Client.connect({
    transport,
    clock: systemClock,
    agent: `commserver-client/${VERSION}`,
    wait: flags["wait"] === true,
    timeoutMs,
    signal: options.signal,
    onQueued: (position) => io.note(`The server is full: waiting for a seat, position ${position}.`),
    onMessage: options.onMessage,
  });
}

/** Run one command over a session of its own. Ctrl-C and SIGTERM end it in order; the second one at once. */
export async function withClient(
  flags: Flags,
  io: ConsoleIo,
  work: (client: Client, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    const onMessage = (message: MessageParams) => io.note(formatMessage(message));
    const client = await connectClient(flags, io, { signal: interrupt.signal, onMessage });
    try {
      return await raceAbort(work(client, interrupt.signal), interrupt.signal);
    } finally {
      await client.close();
    }
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
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
