import type { DaemonSettings } from "../../daemon/settings.ts";
import { withOrigin } from "../configuration/configure.ts";
import type { Flags } from "../flags.ts";
import type { LogSettings } from "./event-log.ts";
import { LOG_FLAGS, readLogSettings } from "./log-flags.ts";
import { readSettings, SERVE_FLAGS } from "./serve-flags.ts";

/** Settings that a running server can change. */
const LIVE = ["limit-rate", "limit-rate-total", "stop-timeout", "log-level", "log-format"] as const;

/** What a second reading has found. */
export interface Reread {
  /** The names of the settings that are others now, and hold. */
  readonly changed: string[];
  /** Those that hold after a restart. */
  readonly waiting: string[];
}

export interface LiveSettingsOptions {
  readonly noteIsTty: boolean;
  /** The flags as they were typed, with the environment and the file of settings as they are now. */
  read(): Promise<Flags>;
  apply(settings: DaemonSettings, log: LogSettings): void;
}

/** The settings that hold, and how they change while the server runs. */
export class LiveSettings {
  #flags: Flags;
  readonly #options: LiveSettingsOptions;

  constructor(flags: Flags, options: LiveSettingsOptions) {
    this.#flags = flags;
    this.#options = options;
  }

  /** Read the settings again. @throws UsageError, StorageError for a file with a fault: then all stay as they were */
  async reread(): Promise<Reread> {
    const { read, apply, noteIsTty } = this.#options;
    const flags = await read();
    const others = Object.keys({ ...SERVE_FLAGS, ...LOG_FLAGS }).filter((name) => flags[name] !== this.#flags[name]);
    const changed = LIVE.filter((name) => others.includes(name));
    const live = Object.fromEntries(LIVE.map((name) => [name, flags[name]]));
    try {
      const settings = readSettings(flags);
      apply(settings, readLogSettings(flags, { noteIsTty }));
    } catch (thrown) {
      throw withOrigin(thrown, flags);
    }
    this.#flags = { ...this.#flags, ...live, _: this.#flags._ };
    return { changed, waiting: others.filter((name) => !changed.some((each) => each === name)) };
  }
}
