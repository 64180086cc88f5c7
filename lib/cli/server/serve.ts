import type { ArgsDef } from "citty";
import { Client } from "../../client/client.ts";
import { Operator } from "../../client/operator.ts";
import { ERRORS } from "../../errors.ts";
import { Ledger } from "../../server/ledger.ts";
import { CommServer } from "../../server/server.ts";
import { systemClock } from "../../session/clock.ts";
import { digest64 } from "../../storage/digest64.ts";
import { LocalStorage } from "../../storage/local.ts";
import { memoryPair } from "../../transport/memory.ts";
import type { ConsoleIo } from "../console-io.ts";
import { toJson } from "../escape.ts";
import { type Flags, integerFlag, secondsFlag } from "../flags.ts";
import { LineWriter } from "../line-writer.ts";
import type { Command } from "../program.ts";
import { defaultStateDir, ledgerFile, makeStateDir } from "../state-dir.ts";
import { VERSION } from "../version.ts";
import { bannerText, listeningRecord, type Serving } from "./banner.ts";
import { listenOperator, listenPublic } from "./listeners.ts";
import { runOperatorConsole } from "./operator-console.ts";

/** Credit and streams that a client gets. */
const CLIENT_LIMITS = { credit: 4 * 1024 * 1024, maxStreams: 128 };
const HEARTBEAT_MS = 15_000;
const HANDSHAKE_MS = 10_000;
const MAX_UNADMITTED = 1_024;
/** How long a reader of --json may take for the last events. */
const LAST_WORDS_MS = 1_000;

const FLAGS = {
  repository: {
    type: "string",
    alias: "r",
    valueHint: "DIR",
    default: "./repository",
    description: "The folder to serve",
  },
  host: { type: "string", valueHint: "ADDR", description: "Address to listen at; default: all, IPv4 and IPv6" },
  port: {
    type: "string",
    alias: "p",
    valueHint: "N",
    default: "5050",
    description: "Port to listen at; 0: any free one",
  },
  "max-clients": { type: "string", valueHint: "N", default: "3", description: "Seats" },
  "max-waiting": { type: "string", valueHint: "N", default: "16", description: "Clients that may wait for a seat" },
  "stop-timeout": {
    type: "string",
    valueHint: "SECONDS",
    default: "10",
    description: "How long transfers may go on when the server stops",
  },
  writable: { type: "boolean", alias: "w", description: "Let clients put, remove and rename files" },
  grace: {
    type: "string",
    valueHint: "SECONDS",
    default: "30",
    description: "How long a seat is kept for a client whose link was lost",
  },
  plaintext: { type: "boolean", description: "Say that no encryption is what you want: no warning" },
  open: { type: "boolean", description: "Say that anyone may connect: no warning" },
  "state-dir": { type: "string", valueHint: "DIR", description: "Where the ledger and the operator's socket are" },
  json: { type: "boolean", description: "Print events as JSON lines for programs" },
} as const satisfies ArgsDef;

export const serve: Command = {
  description: "Serve a folder (the default)",
  args: FLAGS,
  async run(flags, io) {
    const stopping = Promise.withResolvers<void>();
    const { server, close, serving } = await start(flags, () => stopping.resolve());
    let forced = false;
    const onSignal = () => {
      stopping.resolve();
      if (forced) server.abort();
      forced = true;
    };
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
    for (const signal of signals) process.on(signal, onSignal);

    const shown = await show(server, serving, io, { json: flags["json"] === true, onLeave: onSignal });
    await stopping.promise;
    close();
    await server.shutdown(secondsFlag(flags, "stop-timeout"));
    await shown.finish();
    for (const signal of signals) process.off(signal, onSignal);
    return server.wasAborted ? ERRORS.INTERRUPTED.exit : 0;
  },
};

/** Everything that can fail, before anything is shown. @throws CommError with what to do */
async function start(
  flags: Flags,
  onStopRequest: () => void,
): Promise<{ server: CommServer; serving: Serving; close(): void }> {
  const maxClients = integerFlag(flags, "max-clients", 1, 100_000);
  const maxWaiting = integerFlag(flags, "max-waiting", 0, 100_000);
  const port = integerFlag(flags, "port", 0, 65_535);
  secondsFlag(flags, "stop-timeout");
  const graceMs = secondsFlag(flags, "grace");
  const writable = flags["writable"] === true;
  const storage = await LocalStorage.at(String(flags["repository"]));
  const stateDir = makeStateDir(String(flags["state-dir"] ?? defaultStateDir()));
  const ledger = Ledger.open(ledgerFile(stateDir));
  const server = new CommServer({
    agent: `commserver-server/${VERSION}`,
    clock: systemClock,
    storage,
    ledger,
    maxClients,
    maxWaiting,
    maxUnadmitted: MAX_UNADMITTED,
    handshakeMs: HANDSHAKE_MS,
    heartbeatMs: HEARTBEAT_MS,
    limits: CLIENT_LIMITS,
    graceMs,
    writable,
    digest64,
    createSha256: () => new Bun.CryptoHasher("sha256"),
    onStopRequest,
  });
  try {
    const host = flags["host"] === undefined ? undefined : String(flags["host"]);
    const listening = listenPublic(host, port, (transport) => server.accept(transport, "client"));
    const operator = listenOperator(stateDir, (transport) => server.accept(transport, "operator"));
    const exposed = !(flags["plaintext"] && flags["open"]);
    const serving: Serving = {
      repository: storage.location,
      writable,
      host,
      port: listening.port,
      maxClients,
      maxWaiting,
      stateDir,
      exposed,
      warnings: operator.warning === undefined ? [] : [operator.warning],
    };
    return {
      server,
      serving,
      close() {
        listening.stop();
        operator.stop();
      },
    };
  } catch (error) {
    ledger.close();
    throw error;
  }
}

/** Who stops reading what a server says (`| head -1`) does not stop the server. */
async function say(io: ConsoleIo, text: string): Promise<void> {
  await io.out(text).catch(() => {});
}

/**
 * Tell what is served, then what happens: as JSON, on the operator's terminal, or as a log.
 *
 * @returns finish(): settles when the last of it has been shown
 */
async function show(
  server: CommServer,
  serving: Serving,
  io: ConsoleIo,
  options: { json: boolean; onLeave(): void },
): Promise<{ finish(): Promise<void> }> {
  if (options.json) {
    const lines = new LineWriter((text) => say(io, text));
    lines.add(toJson(listeningRecord(serving)));
    void lines.flush(); // whoever started the server waits for this one
    server.events.subscribe((event) => lines.add(toJson(event)));
    for (const message of serving.warnings) server.events.emit({ event: "warning", message });
    return { finish: () => Promise.race([lines.flush(), Bun.sleep(LAST_WORDS_MS)]) };
  }
  await say(io, bannerText(serving, io));
  if (io.inIsTty && io.outIsTty) {
    const [ours, theirs] = memoryPair({ a: "server", b: "terminal" });
    server.accept(ours, "operator");
    const client = await Client.connect({
      transport: theirs,
      clock: systemClock,
      agent: server.agent,
      wait: false,
      timeoutMs: HANDSHAKE_MS,
    });
    const done = runOperatorConsole({ operator: new Operator(client), io, onLeave: options.onLeave });
    return { finish: () => done };
  }
  // Imported when it is wanted: consola takes three megabytes.
  const { createEventLog } = await import("./event-log.ts");
  const lines = new LineWriter((text) => io.note(text.trimEnd()));
  server.events.subscribe(createEventLog((line) => lines.add(line)));
  for (const message of serving.warnings) server.events.emit({ event: "warning", message });
  return { finish: () => lines.flush() };
}
