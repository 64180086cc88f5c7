import { Daemon } from "../../daemon/daemon.ts";
import { ServiceManager } from "../../daemon/service-manager.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { describeError } from "../report.ts";
import { completeCommand } from "../shown-command.ts";
import { hasControllingTerminal } from "../terminal/controlling-terminal.ts";
import { onSignals, wasIgnored } from "../terminal/signals.ts";
import { EventLog } from "./event-log.ts";
import { LiveSettings } from "./live-settings.ts";
import { LOG_FLAGS, readLogSettings } from "./log-flags.ts";
import { programOptions } from "./program-options.ts";
import { readSettings, requireUse, SERVE_FLAGS } from "./serve-flags.ts";
import { say, showServer } from "./serve-view.ts";
import { inheritedSocketIn, serviceManagerIn } from "./service-environment.ts";

export const serve: Command = {
  description: "Serve a folder (the default)",
  args: { ...SERVE_FLAGS, ...LOG_FLAGS },
  completes: { dir: "folder" },
  check(flags) {
    readSettings(flags);
    readLogSettings(flags, { noteIsTty: false });
  },
  async run(flags, io, reread = async () => flags) {
    requireUse(flags);
    const stopping = Promise.withResolvers<void>();
    const logSettings = readLogSettings(flags, io);
    const { file } = logSettings;
    const inherited = inheritedSocketIn(process.env);
    const settings = {
      ...readSettings(flags),
      ...(file !== undefined && { ownFiles: [file] }),
      ...(inherited !== undefined && { inherited }),
    };
    const managerSettings = serviceManagerIn(process.env);
    const manager = managerSettings && new ServiceManager(managerSettings);
    const isJson = flags["json"] === true;
    const isConsole = !isJson && io.inIsTty && io.outIsTty;
    const isLogging = file !== undefined || !(isJson || isConsole);
    const log = isLogging ? new EventLog(logSettings, io) : undefined;
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
    const onLeave = (isGone: boolean) => {
      if (!isGone) void say(io, leftConsole());
      // A server that was started with SIGHUP ignored outlives its terminal.
      else if (!wasIgnored("SIGHUP")) onSignal();
    };
    // SIGHUP says that the terminal is gone. A service has none, and is told so to read its files again.
    const offSignals = onSignals(["SIGINT", "SIGTERM", "SIGQUIT"], onSignal);
    const offHangup = onSignals(["SIGHUP"], () => (hasTerminal ? onSignal() : void reloadAndTell()));
    const hasTerminal = hasControllingTerminal();
    const view = await showServer(daemon, io, { json: isJson, isConsole, log, onLeave, onStop: onSignal });

    function reloadAndTell(): Promise<void> {
      return manager === undefined ? reload() : manager.during(reload());
    }

    const warn = (message: string) => server.events.emit({ event: "warning", message });
    const live = new LiveSettings(flags, {
      noteIsTty: io.noteIsTty,
      read: reread,
      apply: (renewed, logging) => {
        daemon.change(renewed);
        log?.change(logging);
      },
    });

    async function reload(): Promise<void> {
      try {
        log?.reopen();
      } catch (thrown) {
        warn(`The log can't be reopened: ${describeError(thrown)}`);
      }
      await daemon.reload(await changedSettings(live, warn));
    }

    if (manager?.ready(server) === false) warn("The server could not tell the service manager that it is ready.");
    await stopping.promise;
    manager?.stopping(daemon.stopTimeoutMs);
    await daemon.stop();
    await view.finish();
    offSignals();
    offHangup();
    return server.wasAborted ? EXIT.INTERRUPTED : EXIT.DONE;
  },
};

/** Read the settings again. @returns the names of those that are others now */
async function changedSettings(live: LiveSettings, warn: (message: string) => void): Promise<string[]> {
  try {
    const { changed, waiting } = await live.reread();
    if (waiting.length > 0) warn(`Changed, but read only at the start: ${waiting.join(", ")}. Restart the server.`);
    return changed;
  } catch (thrown) {
    warn(`The settings can't be read again, and stay as they were: ${describeError(thrown)}`);
    return [];
  }
}

function leftConsole(): string {
  const again = completeCommand("commserver-server console");
  return `You left the console; the server runs on. Ctrl-C stops it.\nTo operate it again: ${again}\n`;
}
