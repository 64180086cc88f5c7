import { descriptorLimit, openDescriptors } from "../platform/descriptors.ts";
import { MAX_REQUESTS } from "../server/guest-session.ts";
import { type Capacity, capacityFor } from "./capacity.ts";
import type { WebAccess } from "./settings.ts";
import type { DaemonWarning } from "./warnings.ts";

/** The most connections in their handshake, of all addresses and of one. */
export const MAX_UNADMITTED = 1_024;
export const MAX_UNADMITTED_PER_ADDRESS = 256;
/** Connections in their handshake or lingering after a close, as a multiple of those in their handshake. */
const PASSING_FACTOR = 5;
export const MAX_PASSING = PASSING_FACTOR * MAX_UNADMITTED;
/** Descriptors reserved for new connections that are closed at once, and for operators. */
const LAST = 2;
const LAST_FOR_OPERATORS = 1;

/** The shares of the limit of open files. */
export interface DescriptorBudget extends Omit<Capacity, "maxFiles"> {
  readonly maxUnadmitted: number;
  readonly maxUnadmittedPerAddress: number;
  /** Descriptors of files; undefined: no limit of ours. */
  readonly maxFiles: number | undefined;
  /** Connections with a descriptor from this one on are closed at once; undefined: none are. */
  readonly closeFrom: { readonly clients: number; readonly operators: number } | undefined;
  readonly warnings: readonly DaemonWarning[];
}

/** What the limit of open files allows of the wanted capacity. Called before the server listens. */
export function budgetDescriptors(
  { maxClients, maxWaiting, web }: Pick<Capacity, "maxClients" | "maxWaiting"> & { readonly web?: WebAccess },
  { limit, open } = { limit: descriptorLimit(), open: openDescriptors() },
): DescriptorBudget {
  const maxWeb = web === undefined || web === "off" ? 0 : MAX_UNADMITTED + maxClients * MAX_REQUESTS;
  const wanted = { maxClients, maxWaiting, maxPassing: MAX_PASSING, maxWeb };
  if (limit === undefined || open === undefined) {
    return { ...wanted, ...handshakes(MAX_PASSING), maxFiles: undefined, closeFrom: undefined, warnings: [] };
  }
  const { isEnough, ...capacity } = capacityFor(limit - open, wanted);
  return {
    ...capacity,
    ...handshakes(capacity.maxPassing),
    closeFrom: { clients: limit - LAST, operators: limit - LAST_FOR_OPERATORS },
    warnings: isEnough ? [] : [{ kind: "few descriptors", limit, wanted, left: capacity }],
  };
}

/** Some of the passing connections are reserved for lingering ones. */
function handshakes(maxPassing: number): { maxUnadmitted: number; maxUnadmittedPerAddress: number } {
  const maxUnadmitted = Math.min(MAX_UNADMITTED, Math.floor(maxPassing * 0.75));
  return { maxUnadmitted, maxUnadmittedPerAddress: Math.min(MAX_UNADMITTED_PER_ADDRESS, maxUnadmitted) };
}
