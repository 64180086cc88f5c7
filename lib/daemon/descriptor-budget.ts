import { descriptorLimit, openDescriptors } from "../platform/descriptors.ts";
import { type Capacity, capacityFor } from "./capacity.ts";
import type { DaemonWarning } from "./warnings.ts";

/** Connections in their handshake, of all and of one address. */
export const MAX_UNADMITTED = 1_024;
export const MAX_UNADMITTED_PER_ADDRESS = 256;
/** Connections in their handshake and those that only linger for their last words: so many times the former. */
const PASSING_FACTOR = 5;
export const MAX_PASSING = PASSING_FACTOR * MAX_UNADMITTED;
/** Descriptors that nothing but a new connection gets, which is closed at once, and those that only operators get. */
const LAST = 2;
const LAST_FOR_OPERATORS = 1;

/** What the limit of open files leaves of each thing that takes one. */
export interface DescriptorBudget extends Omit<Capacity, "maxFiles"> {
  readonly maxUnadmitted: number;
  readonly maxUnadmittedPerAddress: number;
  /** Descriptors of files; undefined: as many as there are. */
  readonly maxFiles: number | undefined;
  /** Connections with a descriptor from this one on are closed at once; undefined: none are. */
  readonly closeFrom: { readonly clients: number; readonly operators: number } | undefined;
  readonly warnings: readonly DaemonWarning[];
}

/** What the limit of open files leaves of what was asked for. Called before anything is listened at. */
export function budgetDescriptors(
  { maxClients, maxWaiting }: Pick<Capacity, "maxClients" | "maxWaiting">,
  { limit, open } = { limit: descriptorLimit(), open: openDescriptors() },
): DescriptorBudget {
  const wanted = { maxClients, maxWaiting, maxPassing: MAX_PASSING };
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

/** Of those that pass, some are left for last words. */
function handshakes(maxPassing: number): { maxUnadmitted: number; maxUnadmittedPerAddress: number } {
  const maxUnadmitted = Math.min(MAX_UNADMITTED, Math.floor(maxPassing * 0.75));
  return { maxUnadmitted, maxUnadmittedPerAddress: Math.min(MAX_UNADMITTED_PER_ADDRESS, maxUnadmitted) };
}
