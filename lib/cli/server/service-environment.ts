import type { ServiceManagerSettings } from "../../daemon/service-manager.ts";
import { UsageError } from "../usage-error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The first inherited descriptor. Source: sd_listen_fds(3). */
const FIRST_FD = 3;

/** What a service manager has put into the environment; undefined without one. */
export function serviceManagerIn(env: Environment, pid = process.pid): ServiceManagerSettings | undefined {
  const socket = env["NOTIFY_SOCKET"] ?? "";
  if (!/^[/@]./.test(socket)) return undefined;
  const watchdogMs = Number(env["WATCHDOG_USEC"]) / 1000;
  const isMeant = env["WATCHDOG_PID"] === undefined || env["WATCHDOG_PID"] === String(pid);
  return { socket, watchdogMs: isMeant && watchdogMs > 0 ? watchdogMs : undefined };
}

/**
 * The descriptor of a socket that listens already (socket activation); undefined when this process was given none.
 *
 * @throws UsageError for several
 */
export function inheritedSocketIn(env: Environment, pid = process.pid): number | undefined {
  const count = Number(env["LISTEN_FDS"] ?? 0);
  if (env["LISTEN_PID"] !== String(pid) || !(count > 0)) return undefined;
  if (count > 1)
    throw new UsageError(`The server takes one socket, not ${count}: one ListenStream= in its .socket unit.`);
  return FIRST_FD;
}
