import type { IncomingMessage } from "node:http";
import { StreamError } from "../errors.ts";

/** A name or an address, and a port (RFC 3986, 3.2.2); no user. */
const HOST = /^(?:\[[0-9A-Fa-f:.]+(?:%25[\w.~-]+)?\]|[\w.~%-]*)(?::\d{0,5})?$/;

/** Fields that decide what is done, and to what: if there were two, an intermediary may have read the other one. */
const ONCE: ReadonlySet<string> = new Set([
  "host",
  "authorization",
  "range",
  "content-range",
  "destination",
  "overwrite",
  "depth",
  "upload-length",
  "upload-offset",
  "x-expected-entity-length",
  "x-oc-mtime",
]);

/**
 * The checks that llhttp leaves to the server: the version, exactly one Host (RFC 9112, 3.2), and no repetition of a
 * field with a single value (RFC 9110, 5.3).
 *
 * @returns the field Host; "" for HTTP/1.0 without one
 * @throws StreamError BAD_PARAMS
 */
export function checkMessage(request: IncomingMessage): { host: string } {
  const { httpVersion, rawHeaders } = request;
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    throw new StreamError("BAD_PARAMS", "This server speaks only HTTP/1.1.");
  }
  const values = new Map<string, string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    if (!ONCE.has(name)) continue;
    if (values.has(name)) throw new StreamError("BAD_PARAMS", `The field ${name} appears twice.`);
    values.set(name, rawHeaders[at + 1] ?? "");
  }
  const host = values.get("host");
  if ((host === undefined && httpVersion === "1.1") || !HOST.test(host ?? "")) {
    throw new StreamError("BAD_PARAMS", "A request needs one Host field, with a name or an address.");
  }
  return { host: host ?? "" };
}

/** Whether a body follows: then nothing after it on this connection is read. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}
