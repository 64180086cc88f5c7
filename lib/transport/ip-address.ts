/*
 * node:net also parses IP addresses, but makes every start of the programs slower; the runtime's URL refuses some of
 * them (findings/bun-url-ipv6.sh).
 */

/** Four numbers from 0 to 255, in decimal without leading zeros. */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
/** The digits of an address, and its zone (RFC 4007, section 11). */
const IPV6 = /^([\da-f:.]+)(?:%[\da-z.:-]+)?$/i;
const GROUP = /^[\da-f]{1,4}$/i;

export function isIPv4(text: string): boolean {
  return IPV4.test(text);
}

/** True for an IPv6 address in any of the forms of RFC 4291, section 2.2, with or without a zone. */
export function isIPv6(text: string): boolean {
  const [, digits] = IPV6.exec(text) ?? [];
  if (digits === undefined) return false;
  const [head = "", tail, ...more] = digits.split("::");
  const groups = [head, tail ?? ""].flatMap((part) => (part === "" ? [] : part.split(":")));
  const last = tail === "" ? "" : (groups.at(-1) ?? "");
  // An IPv4 address at the end stands for the last two groups.
  if (isIPv4(last)) groups.splice(-1, 1, "0", "0");
  const isComplete = tail === undefined ? groups.length === 8 : groups.length < 8;
  return more.length === 0 && isComplete && groups.every((group) => GROUP.test(group));
}
