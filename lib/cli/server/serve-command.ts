import { Daemon } from "../../daemon/daemon.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { toJson } from "../escape.ts";
import { EXIT } from "../exit-codes.ts";
import { LineWriter } from "../line-writer.ts";
import { describeError } from "../report.ts";
import { completeCommand } from "../shown-command.ts";
import { onSignals, wasIgnored } from "../terminal/signals.ts";
import { bannerText, listeningRecord } from "./banner.ts";
import { runOperatorConsole } from "./operator-console.ts";
import { programOptions } from "./program-options.ts";
import { readSettings, SERVE_FLAGS } from "./serve-flags.ts";
import { warningText } from "./warning-words.ts";

/** Characters of events that are kept while nobody reads them. */
const MAX_UNREAD = 1024 * 1024;

/** How long a reader of --json may take to read the last events. */
const LAST_WORDS_MS = 1_000;

function leftConsole(): string {
  const again = completeCommand("commserver-server console");
  return `You left the console; the server runs on. Ctrl-C stops it.\nTo operate it again: ${again}\n`;
}

export const serve: Command = {
  description: "Serve a folder (the default)",
  args: SERVE_FLAGS,
  completes: { dir: "folder" },
  check: (flags) => void readSettings(flags),
  async run(flags, io) {
    const stopping = Promise.withResolvers<void>();
    const settings = readSettings(flags);
    const isJson = flags["json"] === true;
    const daemon = await Daemon.start(settings, {
      ...programOptions(),
      canShowInvite: isJson || io.outIsTty,
      onStopRequest: () => stopping.resolve(),
    });
    const { server } = daemon;
    let forced = false;
    const onSignal = () => {
      stopping.resolve();
      if (forced) server.abort();
      forced = true;
    };
    const offSignals = onSignals(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"], onSignal);

    const onLeave = (isGone: boolean) => {
      if (!isGone) void say(io, leftConsole());
      // A server that was started with SIGHUP ignored outlives its terminal.
      else if (!wasIgnored("SIGHUP")) onSignal();
    };
    const shown = await show(daemon, io, { json: isJson, onLeave, onStop: onSignal });
    await stopping.promise;
    await daemon.stop();
    await shown.finish();
    offSignals();
    return server.wasAborted ? EXIT.INTERRUPTED : EXIT.DONE;
  },
};

function unread(count: number): string {
  return `${count} events are missing here: they came faster than they were read.`;
}

/** A reader that stops reading (`| head -1`) does not stop the server. */
async function say(io: ConsoleIo, text: string): Promise<void> {
  await io.out(text).catch(() => {});
}

/**
 * As say(), for the first output, with the invite: if it can't be shown, it is taken back and the next start shows
 * another.
 */
async function sayFirst(io: ConsoleIo, text: string, daemon: Daemon): Promise<void> {
  try {
    await io.out(text);
  } catch (thrown) {
    if (daemon.serving.invite === undefined) return;
    const next = daemon.takeFirstInviteBack() ? "The next start shows another." : "Make another: token add NAME";
    io.note(`Warning: the first invite could not be shown. ${describeError(thrown)} ${next}`);
  }
}

/**
 * Show what is served, then the events: as JSON, on the operator's terminal, or as a log.
 *
 * @returns finish(): settles when the last of it has been shown
 */
async function show(
  daemon: Daemon,
  io: ConsoleIo,
  options: { json: boolean; onLeave(isGone: boolean): void; onStop(): void },
): Promise<{ finish(): Promise<void> }> {
  const { server, serving } = daemon;
  const warnings = daemon.warnings.map(warningText);
  if (options.json) {
    const lines = new LineWriter((text) => say(io, text), {
      max: MAX_UNREAD,
      dropped: (count) => toJson({ at: Date.now(), event: "warning", message: unread(count) }),
    });
    // The program that started the server waits for this one.
    void sayFirst(io, `${toJson(listeningRecord(serving))}\n`, daemon);
    server.events.subscribe((event) => lines.add(toJson(event)));
    for (const message of warnings) server.events.emit({ event: "warning", message });
    return { finish: () => Promise.race([lines.flush(), Bun.sleep(LAST_WORDS_MS)]) };
  }
  await sayFirst(io, bannerText(serving, warnings, io), daemon);
  if (io.inIsTty && io.outIsTty) {
    const operator = await daemon.connectOperator();
    const done = runOperatorConsole({ operator, io, onLeave: options.onLeave, onStop: options.onStop });
    return { finish: () => done };
  }
  // Imported only when it is used: consola takes three megabytes.
  const { createEventLog } = await import("./event-log.ts");
  const lines = new LineWriter((text) => io.log(text), { max: MAX_UNREAD, dropped: unread });
  server.events.subscribe(createEventLog((line) => lines.add(line)));
  for (const message of warnings) server.events.emit({ event: "warning", message });
  return { finish: () => Promise.race([lines.flush(), Bun.sleep(LAST_WORDS_MS)]) };
}
