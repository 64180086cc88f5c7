import { Access } from "../server/access/access.ts";
import { memoryLimits } from "../server/memory-limits.ts";
import { CommServer } from "../server/server.ts";
import type { ServerOptions } from "../server/server-options.ts";
import { systemClock } from "../session/clock.ts";
import { digest64 } from "../storage/digest64.ts";
import { blockTag } from "../storage/local/block-tag.ts";
import { PathTurns } from "../storage/ordered.ts";
import type { DescriptorBudget } from "./descriptor-budget.ts";
import { FIRST_CREDIT_BYTES, HANDSHAKE_MS, HEARTBEAT_MS, MAX_STREAMS, windowFor } from "./limits.ts";
import type { LocalAccess } from "./local-access.ts";
import type { DaemonSettings } from "./settings.ts";
import type { Records } from "./state-records.ts";

/** The parts of a server that the settings do not determine. */
export interface DaemonParts
  extends Pick<
    ServerOptions,
    "agent" | "storage" | "within" | "invite" | "reach" | "linkAddress" | "shareArea" | "onStopRequest"
  > {
  readonly records: Records;
  readonly local: LocalAccess;
  readonly descriptors: DescriptorBudget;
}

/** A server that does not listen yet. */
export function createServer(settings: DaemonSettings, parts: DaemonParts): CommServer {
  const { records, local, descriptors, ...rest } = parts;
  const { tokens, ledger, links, mailbox } = records;
  const { bandwidth } = settings;
  return new CommServer({
    ...rest,
    clock: systemClock,
    ledger,
    tokens,
    links,
    mailbox,
    access: new Access({ clock: systemClock, tokens, links, open: settings.isOpen, local: local.known }),
    maxClients: descriptors.maxClients,
    maxWaiting: descriptors.maxWaiting,
    maxPerAddress: settings.maxPerAddress,
    maxUnadmitted: descriptors.maxUnadmitted,
    maxUnadmittedPerAddress: descriptors.maxUnadmittedPerAddress,
    maxPassing: descriptors.maxPassing,
    callRates: settings.callRates,
    bandwidth,
    idleMs: settings.idleMs,
    handshakeMs: HANDSHAKE_MS,
    heartbeatMs: HEARTBEAT_MS,
    limits: { credit: FIRST_CREDIT_BYTES, maxStreams: MAX_STREAMS },
    maxWindow: windowFor(bandwidth.perSession ?? bandwidth.total),
    memory: memoryLimits(settings.maxMemory),
    collect: () => Bun.gc(false),
    graceMs: settings.graceMs,
    writable: settings.isWritable,
    turns: settings.web === "on" ? new PathTurns() : undefined,
    digest64,
    blockTag,
    createSha256: () => new Bun.CryptoHasher("sha256"),
  });
}
