import type { IncomingHttpHeaders } from "node:http";
import { StreamError } from "../errors.ts";
import { parseHttpDate } from "./http-date.ts";
import { HttpFault } from "./http-fault.ts";

/** The head of a PUT. */
export interface Upload {
  /** Bytes of the whole file; undefined: not known before its end. */
  readonly size: number | undefined;
  /** The position in the file at which the body begins. */
  readonly offset: number;
  /** Milliseconds since 1970; undefined: not given. */
  readonly modifiedAt: number | undefined;
}

/** As curl sends it (RFC 9110, 14.4), and with "=", as lftp sends it in Range. */
const PART = /^bytes[ =](\d{1,16})-(\d{1,16})\/(\d{1,16})$/;

/**
 * Read the head of a PUT. A body that is only a part of the file must be marked as one in a known form: a part must
 * never be taken for the whole file.
 *
 * @throws StreamError BAD_PARAMS; HttpFault for codings that this server does not decode
 */
export function readUpload(headers: IncomingHttpHeaders, now: number): Upload {
  const coding = headers["content-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "identity") {
    throw new HttpFault("BAD_PARAMS", "A body must come without Content-Encoding.", { status: 415 });
  }
  const transfer = headers["transfer-encoding"];
  if (transfer !== undefined && transfer.toLowerCase() !== "chunked") {
    throw new HttpFault("BAD_PARAMS", "The only transfer coding that this server supports is chunked.", {
      status: 501,
    });
  }
  const length = transfer === undefined ? Number(headers["content-length"] ?? 0) : expectedLength(headers);
  return { ...partOf(headers, length), modifiedAt: timeOf(headers, now) };
}

/** Some programs send chunks, although they know the length. */
function expectedLength(headers: IncomingHttpHeaders): number | undefined {
  const value = headers["x-expected-entity-length"];
  return typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : undefined;
}

function partOf(
  headers: IncomingHttpHeaders,
  length: number | undefined,
): { size: number | undefined; offset: number } {
  const { range } = headers;
  const told = headers["content-range"];
  if (range !== undefined && told !== undefined) throw badPart("Range and Content-Range exclude each other.");
  const value = told ?? range;
  if (value === undefined) return { size: length, offset: 0 };
  const [, first, last, all] = PART.exec(value) ?? [];
  if (first === undefined || value.startsWith("bytes=") !== (told === undefined)) {
    throw badPart("A part of a file needs: Content-Range: bytes FIRST-LAST/SIZE");
  }
  const [offset, end, size] = [Number(first), Number(last) + 1, Number(all)];
  if (end !== size || offset >= end) throw badPart("A part must reach up to the end of the file.");
  if (length !== undefined && length !== end - offset) throw badPart("The body is not as long as the part.");
  return { size, offset };
}

function badPart(reason: string): StreamError {
  return new StreamError("BAD_PARAMS", reason);
}

/** The time from X-OC-MTime in seconds since 1970, as rclone and lftp send it. */
function timeOf(headers: IncomingHttpHeaders, now: number): number | undefined {
  const seconds = headers["x-oc-mtime"];
  if (seconds !== undefined) {
    const time = timeOfSeconds(`${seconds}`);
    if (time === undefined) throw new StreamError("BAD_PARAMS", "X-OC-MTime must be in seconds since 1970.");
    return time;
  }
  const date = headers["last-modified"];
  return date === undefined ? undefined : parseHttpDate(date, now);
}

/** Seconds since 1970, with or without decimals, as milliseconds; undefined if it is not a number. */
export function timeOfSeconds(text: string): number | undefined {
  return /^\d{1,12}(?:\.\d{1,9})?$/.test(text) ? Math.floor(Number(text) * 1000) : undefined;
}
