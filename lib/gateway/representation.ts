import type { OutgoingHttpHeaders } from "node:http";
import { StreamError } from "../errors.ts";
import { type ByteRange, contentRange, parseRange } from "./byte-ranges.ts";
import { judge, mayBeRanged } from "./conditions.ts";
import { BODY_NEED } from "./file-body.ts";
import type { HttpCall } from "./http-call.ts";
import { formatHttpDate } from "./http-date.ts";
import { HttpFault } from "./http-fault.ts";
import { multipartOf } from "./multipart.ts";

/** A resource of known length, of which any part can be sent by itself. */
export interface Representation {
  /** Its name in an error message. */
  readonly name: string;
  readonly size: number;
  readonly type: string;
  /** Changes whenever any of its bytes may have changed. */
  readonly tag: string;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  /** Fields of every answer that has a part of it. */
  readonly headers: OutgoingHttpHeaders;
  /** Send a part of it over the connection. It ends early only by throwing, or when `call.isClosed`. */
  sendPart(call: HttpCall, part: ByteRange): Promise<void>;
}

/**
 * Answer GET and HEAD as the conditions and ranges of the request say. Source: RFC 9110, sections 13 and 14. `now` in
 * milliseconds since 1970.
 *
 * @throws StreamError CHANGED when the request names another state; HttpFault for ranges that do not exist; as
 *   Representation.sendPart()
 */
export async function answerWith(call: HttpCall, representation: Representation, now: number): Promise<void> {
  const { name, size, type, tag, modifiedAt, headers } = representation;
  const state = { tag, modifiedAt };
  const fields = call.request.headers;
  const verdict = judge(fields, state, { isRead: true, now });
  const common = { etag: tag, "last-modified": formatHttpDate(modifiedAt), "cache-control": "no-cache" };
  if (verdict === "not modified") return call.reply(304, common);
  if (verdict === "failed") throw new StreamError("CHANGED", `${name} has changed.`);
  const all = { ...common, "accept-ranges": "bytes", ...headers };
  const ranges = mayBeRanged(fields, state, now) ? parseRange(fields.range, size) : "whole";
  if (ranges === "unsatisfiable") {
    throw new HttpFault("BAD_PARAMS", `${name} has ${size} bytes, and no such range.`, {
      status: 416,
      headers: { ...common, "accept-ranges": "bytes", "content-range": `bytes */${size}` },
    });
  }
  if (ranges === "whole") {
    const more = { "content-type": type, "content-length": size };
    return send(call, representation, 200, { ...all, ...more }, [[0, size]]);
  }
  const [range, ...further] = ranges;
  if (range !== undefined && further.length === 0) {
    const length = range[1] - range[0];
    const more = { "content-type": type, "content-length": length, "content-range": contentRange(range, size) };
    return send(call, representation, 206, { ...all, ...more }, ranges);
  }
  const multipart = multipartOf(ranges, { size, type });
  const more = { "content-type": multipart.type, "content-length": multipart.length };
  await send(call, representation, 206, { ...all, ...more }, multipart.pieces);
}

/** A piece is either bytes from here, or a part of the representation. */
async function send(
  call: HttpCall,
  representation: Representation,
  status: number,
  headers: OutgoingHttpHeaders,
  pieces: readonly (Uint8Array | ByteRange)[],
): Promise<void> {
  if (call.isHead) {
    call.head(status, headers);
    call.response.end();
    return;
  }
  await call.guest?.member.transfers.run(call, BODY_NEED, async () => {
    call.begin(status, headers);
    for (const piece of pieces) {
      if (piece instanceof Uint8Array) await call.paced(piece.length, call.connection.send(piece));
      else await representation.sendPart(call, piece);
    }
    await call.connection.sendHead();
    if (!call.isClosed) call.response.end();
  });
}
