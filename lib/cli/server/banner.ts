import { networkInterfaces } from "node:os";
import { DEFAULT_PORT, formatHostPort } from "../../transport/address.ts";
import { type ConsoleIo, paint } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { plural } from "../format.ts";
import { VERSION } from "../version.ts";

/** What a server that has started serves, and where. */
export interface Serving {
  readonly repository: string;
  readonly writable: boolean;
  /** undefined: all addresses. */
  readonly host: string | undefined;
  readonly port: number;
  readonly maxClients: number;
  readonly maxWaiting: number;
  readonly stateDir: string;
  /** True unless both --plaintext and --open say that this is wanted. */
  readonly exposed: boolean;
  readonly warnings: readonly string[];
}

/** The first record of --json. `fingerprint` and `invite` are null while there is no TLS. */
export function listeningRecord({
  host,
  port,
  repository,
  writable,
  maxClients,
  maxWaiting,
  stateDir,
}: Serving): object {
  return {
    at: Date.now(),
    event: "listening",
    host: host ?? "::",
    port,
    tls: false,
    fingerprint: null,
    invite: null,
    repository,
    writable,
    maxClients,
    maxWaiting,
    stateDir,
    pid: process.pid,
  };
}

/** For people: what, where, how many, and what to type on the other side. */
export function bannerText(serving: Serving, io: ConsoleIo): string {
  const { repository, writable, host, port, maxClients, maxWaiting, stateDir, exposed, warnings } = serving;
  const row = (label: string, text: string) => `  ${paint(io, "dim", label.padEnd(12))} ${text}\n`;
  const where = host === undefined ? `all addresses, port ${port}` : formatHostPort(host, port);
  let text = `${paint(io, "bold", `CommServer ${VERSION}`)}\n`;
  text += row("Serving", `${escapeText(repository)} (${writable ? "clients may write" : "read-only"})`);
  text += row("Listening", where);
  text += row("Seats", `${plural(maxClients, "client")}, and ${maxWaiting} may wait`);
  text += row("State", escapeText(stateDir));
  if (exposed && !isLoopback(host)) {
    const what = writable ? "read and change" : "read";
    const warning = `anyone who reaches this port can ${what} the folder, and nothing is encrypted`;
    text += row("Beware", paint(io, "yellow", warning));
  }
  for (const warning of warnings) text += row("Warning", paint(io, "yellow", escapeText(warning)));
  text += "\n";
  if (host === undefined || isLoopback(host)) {
    const flag =
      port === DEFAULT_PORT && host === undefined ? "" : ` --server ${formatHostPort(host ?? "localhost", port)}`;
    text += row("Connect", paint(io, "cyan", `commserver-client${flag}`));
  }
  const outside = host === undefined ? lanAddress() : isLoopback(host) ? undefined : host;
  if (outside !== undefined) {
    text += row(
      host === undefined ? "elsewhere" : "Connect",
      paint(io, "cyan", `commserver-client --server ${formatHostPort(outside, port)}`),
    );
  }
  return `${text}\n`;
}

function isLoopback(host: string | undefined): boolean {
  return host === "localhost" || host === "::1" || (host?.startsWith("127.") ?? false);
}

/** The first address of this machine that others may reach. */
function lanAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ internal, family }) => !internal && family === "IPv4")?.address;
}
