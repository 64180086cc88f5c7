import { isIP } from "node:net";
import { StreamError } from "../errors.ts";
import { quote } from "../quote.ts";

/** Names under which this server is known, in lower case. */
export type KnownHosts = ReadonlySet<string>;

/**
 * A foreign page can point its own name to this address for a moment (DNS rebinding), make a browser send requests
 * here, and read the answers. So a request under a name that is not this server's is refused. An address is safe, since
 * nobody else can own it as a name.
 *
 * @throws StreamError NOT_ALLOWED
 */
export function requireHost(host: string, known: KnownHosts): void {
  const name = host
    .replace(/:\d*$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "")
    .toLowerCase();
  const isOwn = name === "" || name === "localhost" || name.endsWith(".localhost") || known.has(name);
  if (isOwn || isIP(name.replace(/%25.*$/, "")) !== 0) return;
  throw new StreamError("NOT_ALLOWED", `This server is not known as ${quote(name)}: use its address.`);
}
