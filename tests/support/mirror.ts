import type { Client } from "../../lib/client/client.ts";
import { Connection } from "../../lib/client/connection.ts";
import { SyncJob, type SyncJobSettings } from "../../lib/client/sync/sync-job.ts";
import type { SyncResult } from "../../lib/client/sync/sync-result.ts";
import { LocalTarget, RemoteTarget } from "../../lib/client/sync/sync-target.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import type { MemoryStorage } from "../../lib/storage/memory-storage.ts";

export interface MirrorOptions extends Partial<Omit<SyncJobSettings, "events" | "rules">> {
  readonly rules?: Partial<SyncJobSettings["rules"]>;
}

export interface Mirrored {
  readonly result: SyncResult;
  /** What was done, sorted: `new a`, `updated b`, `removed c`, `same d`. */
  readonly done: readonly string[];
  /** `EXISTS a`, and why nothing was removed. */
  readonly failed: readonly string[];
  readonly leftOut: readonly string[];
}

/** A connection over clients that `connect` makes. */
export function connectionOf(connect: () => Promise<Client>, reconnectMs = 0): Promise<Connection> {
  return Connection.open({ clock: systemClock, reconnectMs, random: () => 0, connect });
}

/** Mirror a tree in memory, by default to the server with deletions, and collect what happened. */
export async function mirror(
  connection: Connection,
  here: MemoryStorage,
  { rules, ...options }: MirrorOptions = {},
): Promise<Mirrored> {
  const done: string[] = [];
  const failed: string[] = [];
  const leftOut: string[] = [];
  const { isSending = true, root = "" } = options;
  const job = new SyncJob({
    connection,
    here,
    isSending,
    root,
    clock: systemClock,
    digest64,
    signal: new AbortController().signal,
    target: isSending ? new RemoteTarget(connection, root) : new LocalTarget(here),
    maxRemovals: Number.POSITIVE_INFINITY,
    allowsEmpty: false,
    isDry: false,
    sha256: () => new Bun.CryptoHasher("sha256"),
    rules: {
      ...{ deletes: true, deletesExcluded: false, isNewerKept: false, comparesContent: false, setsAside: false },
      ...rules,
    },
    events: {
      onDone: ({ path, change, kind }, { outcome }) =>
        done.push(`${outcome === "stored" ? change : "same"} ${path}${kind === "folder" ? "/" : ""}`),
      onRemoved: ({ path, kind }) => done.push(`removed ${path}${kind === "folder" ? "/" : ""}`),
      onFailed: ({ path }, { code }) => failed.push(`${code} ${path}`),
      onPathFailed: (path, { code }) => failed.push(`${code} ${path}`),
      onRefused: ({ message }) => failed.push(message),
      onLeftOut: ({ path }) => leftOut.push(path),
    },
    ...options,
  });
  const result = await job.run();
  return { result, done: done.sort(), failed: failed.sort(), leftOut: leftOut.sort() };
}
