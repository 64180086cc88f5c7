/** How much a server holds at once: as wanted, or as possible. */
export interface Capacity {
  readonly maxClients: number;
  readonly maxWaiting: number;
  /** Connections in their handshake, and lingering ones. */
  readonly maxPassing: number;
  /** Connections of HTTP, with a request or without; 0 without HTTP. */
  readonly maxWeb: number;
  /** Descriptors of files and folders. */
  readonly maxFiles: number;
}

/** Spare descriptors: for operators, for files that are opened and closed at once, for the runtime. */
const SLACK = 8;
/** Files that a server and each of its seats should be able to open; with fewer there is a warning. */
const FILES = 32;
const FILES_PER_SEAT = 4;
/** Receiving one file takes three descriptors. */
const LEAST_FILES = 4;

/**
 * The part of `wanted` that `free` descriptors allow. Connections and files each have a share, so that neither takes
 * the last descriptor from the other: accept() fails without one, and is retried without end.
 */
export function capacityFor(free: number, wanted: Omit<Capacity, "maxFiles">): Capacity & { isEnough: boolean } {
  const all = Math.max(SLACK, free - SLACK);
  // With fewer, idle connections are closed sooner, or at once: that breaks no promise.
  const maxWeb = Math.min(wanted.maxWeb, Math.floor(all / 4));
  const room = all - maxWeb;
  const wantedFiles = FILES + FILES_PER_SEAT * wanted.maxClients;
  const links = room - Math.min(wantedFiles, Math.max(LEAST_FILES, Math.floor(room / 4)));
  // A client that has no descriptor for its handshake can't learn that the server is full.
  const passing = Math.min(wanted.maxPassing, Math.ceil(links / 3));
  const maxClients = Math.min(wanted.maxClients, links - passing);
  const maxWaiting = Math.min(wanted.maxWaiting, links - passing - maxClients);
  const left = links - maxClients - maxWaiting;
  const maxPassing = Math.min(wanted.maxPassing, Math.max(passing, Math.floor(left / 2)));
  const maxFiles = room - maxClients - maxWaiting - maxPassing;
  const isEnough = maxClients === wanted.maxClients && maxWaiting === wanted.maxWaiting && maxFiles >= wantedFiles;
  return { maxClients, maxWaiting, maxPassing, maxWeb, maxFiles, isEnough };
}
