import { libc } from "../platform/libc.ts";
import type { EventFeed } from "../server/event-feed.ts";

/** What a service manager such as systemd has told this program. Source: sd_notify(3), sd_watchdog_enabled(3). */
export interface ServiceManagerSettings {
  /** The path of its socket; one that begins with "@" is in the abstract namespace. */
  readonly socket: string;
  /** How long it waits for a sign of life; undefined: for ever. */
  readonly watchdogMs: number | undefined;
}

/** The facts of a server that its status line has. */
export interface Watched {
  readonly events: Pick<EventFeed, "subscribe">;
  readonly seats: { readonly taken: number; readonly max: number };
}

/** Clients may come and go faster than anybody reads the status. */
const STATUS_MS = 1_000;
/** Beyond the time that transfers have to finish, before the manager kills the program. */
const STOP_SLACK_MS = 10_000;

/** Tells the service manager when the server is ready, stops, and that it is alive. */
export class ServiceManager {
  readonly #socket: string;
  readonly #watchdogMs: number | undefined;
  #alive: ReturnType<typeof setInterval> | undefined;
  #status: ReturnType<typeof setTimeout> | undefined;

  constructor({ socket, watchdogMs }: ServiceManagerSettings) {
    this.#socket = socket;
    this.#watchdogMs = watchdogMs;
  }

  /** The server listens. @returns false when the manager can't be told */
  ready(server: Watched): boolean {
    const told = this.#tell("READY=1", statusOf(server));
    server.events.subscribe(({ event }) => {
      if (event === "joined" || event === "left") this.#tellSoon(server);
    });
    if (this.#watchdogMs !== undefined) {
      // In time even if one is late. A loop that is stuck sends none.
      this.#alive = setInterval(() => this.#tell("WATCHDOG=1"), this.#watchdogMs / 3);
      this.#alive.unref();
    }
    return told;
  }

  /** Wait for files to be read again. */
  async during(reloading: Promise<void>): Promise<void> {
    // CLOCK_MONOTONIC, as Type=notify-reload wants it.
    this.#tell("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
    await reloading;
    this.#tell("READY=1");
  }

  /** The server stops, which takes at most `stopTimeoutMs` and a little more. */
  stopping(stopTimeoutMs: number): void {
    clearTimeout(this.#status);
    this.#tell("STOPPING=1", "STATUS=Stopping", `EXTEND_TIMEOUT_USEC=${(stopTimeoutMs + STOP_SLACK_MS) * 1000}`);
  }

  #tellSoon(server: Watched): void {
    this.#status ??= setTimeout(() => {
      this.#status = undefined;
      this.#tell(statusOf(server));
    }, STATUS_MS);
    this.#status.unref();
  }

  #tell(...lines: string[]): boolean {
    return libc().sendDatagram?.(this.#socket, lines.join("\n")) === true;
  }
}

function statusOf({ seats: { taken, max } }: Watched): string {
  return `STATUS=${taken} of ${max} seats taken`;
}
