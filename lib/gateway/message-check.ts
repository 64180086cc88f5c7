import type { IncomingMessage } from "node:http";
import { StreamError } from "../errors.ts";

/** A name or an address, and a port (RFC 3986, 3.2.2); no user. */
const HOST = /^(?:\[[0-9A-Fa-f:.]+(?:%25[\w.~-]+)?\]|[\w.~%-]*)(?::\d{0,5})?$/;

/**
 * What llhttp leaves to the server: the version, exactly one Host (RFC 9112, 3.2), and a body that no method here takes.
 *
 * @returns the field Host; "" for HTTP/1.0 without one
 * @throws StreamError BAD_PARAMS
 */
export function checkMessage(request: IncomingMessage): { host: string } {
  const { httpVersion, rawHeaders } = request;
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    throw new StreamError("BAD_PARAMS", "This server speaks HTTP/1.1.");
  }
  const hosts = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 && name.toLowerCase() === "host" ? (rawHeaders[index + 1] ?? "") : [],
  );
  const [host = ""] = hosts;
  const isMissing = hosts.length === 0 && httpVersion === "1.1";
  if (isMissing || hosts.length > 1 || !HOST.test(host)) {
    throw new StreamError("BAD_PARAMS", "A request needs one field Host, with a name or an address.");
  }
  return { host };
}

/** Whether a body follows: nothing after it on this connection is read. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}
