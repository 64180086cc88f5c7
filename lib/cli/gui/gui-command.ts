import { hostname } from "node:os";
import { App } from "../../app/app.ts";
import type { LinkEvents } from "../../app/session-link.ts";
import { Connection } from "../../client/connection.ts";
import { CommError } from "../../errors.ts";
import { systemClock } from "../../session/clock.ts";
import { privatePlaces } from "../../state/private.ts";
import { digest64 } from "../../storage/digest64.ts";
import { Connector } from "../../trust/connector.ts";
import { CONNECTION_FLAGS, type ConnectSettings, readConnectSettings } from "../client/connect-settings.ts";
import { trustPrompts } from "../client/trust-prompts.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { integerFlag } from "../flag-values.ts";
import { interruptible } from "../interruptible.ts";
import { unlessAborted } from "../unless-aborted.ts";
import { DiskSide } from "./disk-side.ts";
import { diskTransfer } from "./disk-transfer.ts";
import { openBrowser } from "./open-browser.ts";
import { PageKeys } from "./page-keys.ts";
import { PageServer } from "./page-server.ts";

/** How long a lost link is tried: as long as the program runs, in milliseconds. */
const FOR_EVER_MS = 2 ** 40;

export const gui: Command = {
  description: "Show files, transfers and messages in a browser of this machine",
  args: {
    open: { type: "boolean", default: true, description: "Open the browser; --no-open: only print the link" },
    port: { type: "string", valueHint: "N", default: "0", description: "The port of the page on 127.0.0.1; 0: any" },
    ...CONNECTION_FLAGS,
  },
  async run(flags, io) {
    const port = integerFlag(flags, "port", 0, 65_535);
    const settings = await readConnectSettings(flags);
    return interruptible((signal) => runGui(settings, { port, opens: flags["open"] !== false, io, signal }));
  },
};

interface GuiTerms {
  readonly port: number;
  readonly opens: boolean;
  readonly io: ConsoleIo;
  readonly signal: AbortSignal;
}

/** Serve the page until `signal` aborts. @returns the exit code @throws as Connector.connect(); CommError CANNOT_LISTEN */
async function runGui(settings: ConnectSettings, terms: GuiTerms): Promise<number> {
  const { io, signal } = terms;
  const places = privatePlaces(settings.stateDir, settings.secretFiles);
  let connector: Connector | undefined;
  const app = new App({
    clock: systemClock,
    digest64,
    here: new DiskSide(places, process.cwd()),
    names: () => ({ server: connector?.server?.name ?? settings.server ?? "", here: hostname() }),
    open: (events, ending) => {
      connector = createConnector(settings, io, events);
      return openConnection(connector, events, ending);
    },
    transfer: (connection, request, jobTerms) => diskTransfer(connection, request, places, jobTerms),
  });
  const answered = firstNews(app);
  // A server that will never let us in is an error of the command; one that is lost later is shown by the page.
  const refused = app.run().then((error) => {
    if (error !== undefined && app.link.facts.name === undefined) throw error;
    return new Promise<never>(() => {});
  });
  try {
    await unlessAborted(Promise.race([refused, answered]), signal);
    const { error } = app.link.facts;
    if (error !== undefined && !settings.isJson)
      io.note(`${escapeText(error.message)} The page connects as soon as the server answers.`);
    await using server = await listen(app, terms.port);
    using _ = await tellLink(server.link(), settings.isJson, terms);
    await unlessAborted(refused, signal);
    return 0;
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    return 0;
  } finally {
    await app.close();
  }
}

/** Resolves when the server has answered, or could not be reached. */
function firstNews(app: App): Promise<void> {
  return new Promise((resolve) => {
    const end = app.subscribe((event) => {
      if (event.event !== "link" || event.link.state === "over") return;
      end();
      resolve();
    });
  });
}

/** Open the browser, and print the link. @returns what to dispose of at the end */
async function tellLink(link: string, isJson: boolean, { opens, io }: GuiTerms): Promise<Disposable> {
  if (isJson) {
    await io.out(`${toJson({ event: "listening", url: link })}\n`);
    return { [Symbol.dispose]() {} };
  }
  const browser = opens ? openBrowser(link) : undefined;
  if (browser?.isOpened) io.note("The page opens in your browser. If it does not, open this link. It works once:");
  else io.note("Open this link in a browser of this machine. It works once:");
  await io.out(`${link}\n`);
  io.note("The page needs this program: leave it running. Ctrl-C ends it, and keeps what has arrived.");
  return { [Symbol.dispose]: () => browser?.remove() };
}

/** @throws CommError CANNOT_LISTEN */
async function listen(app: App, port: number): Promise<PageServer> {
  // A checkout has these files only when it was built.
  const { PAGE_FILES } = await import("../../web/assets.ts");
  try {
    return new PageServer({ app, keys: new PageKeys(), files: PAGE_FILES, port });
  } catch (cause) {
    throw new CommError("CANNOT_LISTEN", `Port ${port} of 127.0.0.1 is taken: choose another with --port.`, { cause });
  }
}

function createConnector(settings: ConnectSettings, io: ConsoleIo, events: LinkEvents): Connector {
  return new Connector(
    { ...settings, wait: true },
    {
      ...trustPrompts(io),
      onQueued: (position) => events.onQueued(position),
      onMessage: (message) => events.onMessage(message),
    },
  );
}

/** A connection that comes back whenever it can. */
function openConnection(connector: Connector, events: LinkEvents, signal: AbortSignal): Promise<Connection> {
  return Connection.open({
    clock: systemClock,
    reconnectMs: FOR_EVER_MS,
    retries: Number.MAX_SAFE_INTEGER,
    random: Math.random,
    signal,
    connect: (resume) => connector.connect(signal, resume),
    onRetry: (error) => events.onLost(error),
    onLost: (error) => events.onLost(error),
    onBack: (client) => events.onBack(client),
  });
}
