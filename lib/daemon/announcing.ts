import type { CommServer } from "../server/server.ts";
import { isLoopback } from "../transport/address.ts";
import { ownLabel } from "./invitation.ts";
import type { DaemonSettings } from "./settings.ts";
import type { DaemonWarning } from "./warnings.ts";

export interface AnnouncedServer {
  /** The address that it listens on; undefined: all. */
  readonly host: string | undefined;
  readonly port: number;
  readonly fingerprint: string | null;
  readonly seats: number;
}

/** A server's announcement on the networks of this machine. */
export interface Announcing {
  /** The wanted name; another is taken where another server has it. */
  readonly name: string;
  /** Announce another certificate from now on. */
  renew(fingerprint: string | null): void;
  /** Settles when the networks know that the server is gone. */
  stop(): Promise<void>;
}

/** A server that nobody could reach is not announced, which its operator has to know. */
export function announceWarnings(
  { announce }: Pick<DaemonSettings, "announce">,
  host: string | undefined,
  announced: string | undefined,
): DaemonWarning[] {
  return announce !== undefined && announced === undefined ? [{ kind: "not announced", host: String(host) }] : [];
}

/**
 * Announce the server if its settings say so, while it admits clients. At a loopback address nobody could reach it, so
 * it is not announced.
 */
export async function startAnnouncing(
  server: CommServer,
  { announce }: Pick<DaemonSettings, "announce">,
  { host, fingerprint, ...facts }: AnnouncedServer,
): Promise<Announcing | undefined> {
  if (announce === undefined || (host !== undefined && isLoopback(host))) return undefined;
  // Loaded only for those who want it.
  const { Announcer } = await import("../discovery/announcer.ts");
  const name = announce.name ?? ownLabel();
  const announcer = new Announcer((fault) => {
    server.events.emit({ event: "warning", message: `The server can't be announced on a network: ${fault}` });
  });
  let shown = fingerprint;
  let isShown = true;
  const address = host === undefined || host === "::" || host === "0.0.0.0" ? undefined : host.replace(/%.*$/, "");
  const show = () => void announcer.announce({ ...facts, name, fingerprint: shown, address });
  const unsubscribe = server.events.subscribe((event) => {
    if (event.event !== "draining" || event.on !== isShown) return;
    isShown = !event.on;
    if (isShown) show();
    else void announcer.withdraw();
  });
  show();
  return {
    name,
    renew(renewed) {
      shown = renewed;
      if (isShown) show();
    },
    stop() {
      unsubscribe();
      return announcer.withdraw();
    },
  };
}
