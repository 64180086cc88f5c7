import { formatAddress, parseAddress } from "../../transport/address.ts";
import type { Flags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";

const MAX_ADVERTISED = 16;

/** The addresses that --advertise names; undefined when it is absent. @throws UsageError */
export function advertiseFlag(flags: Flags): string[] | undefined {
  if (flags["advertise"] === undefined) return undefined;
  const addresses = String(flags["advertise"])
    .split(",")
    .map((address) => parseAddress(address.trim()));
  if (addresses.some(({ kind }) => kind !== "tcp") || addresses.length > MAX_ADVERTISED) {
    throw new UsageError(`--advertise takes HOST or HOST:PORT, at most ${MAX_ADVERTISED}, separated by commas.`);
  }
  return addresses.map(formatAddress);
}
