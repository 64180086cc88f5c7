import type { Daemon } from "../../daemon/daemon.ts";
import { formatHostPort } from "../../transport/address.ts";
import type { ConsoleIo } from "../console-io.ts";
import { toJson } from "../escape.ts";
import { LineWriter } from "../line-writer.ts";
import { describeError } from "../report.ts";
import { bannerText, dangers, listeningRecord } from "./banner.ts";
import { type EventLog, MAX_UNREAD, unread } from "./event-log.ts";
import { isJournal } from "./log-flags.ts";
import { runOperatorConsole } from "./operator-console.ts";
import { warningText } from "./warning-words.ts";

/** How long a reader of --json, or a log, may take for the last events. */
const LAST_WORDS_MS = 1_000;

export interface ViewOptions {
  readonly json: boolean;
  readonly isConsole: boolean;
  readonly log: EventLog | undefined;
  onLeave(isGone: boolean): void;
  onStop(): void;
}

/**
 * Show what is served, then the events: as JSON, on the operator's terminal, as a log.
 *
 * @returns finish(): settles when the last of it has been shown
 */
export async function showServer(
  daemon: Daemon,
  io: ConsoleIo,
  options: ViewOptions,
): Promise<{ finish(): Promise<void> }> {
  const { server, serving } = daemon;
  const { isConsole, log } = options;
  const hasBanner = !options.json && !isJournal(1);
  const warnings = daemon.warnings.map(warningText);
  const shown: (() => Promise<unknown>)[] = [];
  if (options.json) {
    const lines = new LineWriter((text) => say(io, text), {
      max: MAX_UNREAD,
      dropped: (count) => toJson({ at: Date.now(), event: "warning", message: unread(count) }),
    });
    // The program that started the server waits for this one.
    void sayFirst(io, `${toJson(listeningRecord(serving))}\n`, daemon);
    server.events.subscribe((event) => lines.add(toJson(event)));
    shown.push(() => lines.flush());
  } else if (hasBanner) await sayFirst(io, bannerText(serving, warnings, io), daemon);
  if (log !== undefined) {
    const { host, port } = serving;
    log.add({ at: Date.now(), event: "listening", address: formatHostPort(host ?? "::", port) });
    server.events.subscribe((event) => log.add(event));
    shown.push(() => log.flush());
  }
  if (isConsole) {
    const done = runOperatorConsole({ ...options, operator: await daemon.connectOperator(), io }).then(() => {});
    shown.push(() => done);
  }
  // The terminal has them in its banner.
  const said = [...(options.json || hasBanner ? [] : dangers(serving)), ...warnings];
  if (!isConsole) for (const message of said) server.events.emit({ event: "warning", message });
  const finish = () => Promise.all(shown.map((each) => each())).then(() => {});
  return { finish: () => (isConsole ? finish() : Promise.race([finish(), Bun.sleep(LAST_WORDS_MS)])) };
}

/** A reader that stops reading (`| head -1`) does not stop the server. */
export async function say(io: ConsoleIo, text: string): Promise<void> {
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
