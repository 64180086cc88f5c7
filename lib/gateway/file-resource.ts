import type { OutgoingHttpHeaders } from "node:http";
import { StreamError } from "../errors.ts";
import { quote } from "../quote.ts";
import type { GatewayParts } from "../server/parts.ts";
import type { OpenFile } from "../storage/storage.ts";
import { type ByteRange, contentRange, parseRange } from "./byte-ranges.ts";
import { judge, mayBeRanged } from "./conditions.ts";
import { entityTag } from "./entity-tag.ts";
import { BODY_NEED, sendFilePart } from "./file-body.ts";
import { contentDisposition, contentType, digestFields } from "./file-fields.ts";
import type { HttpCall } from "./http-call.ts";
import { formatHttpDate } from "./http-date.ts";
import { multipartOf } from "./multipart.ts";

/** A file's page can run nothing, load nothing and send nothing, whatever is in the file. */
const FILE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'";

/**
 * Answer GET and HEAD for a file. `wanted`: the etag of the query `?etag=`, for clients that have no If-Range of their own.
 *
 * @throws StorageError as Storage.open(); StreamError CHANGED
 */
export async function answerFile(
  call: HttpCall,
  path: string,
  wanted: string | null,
  { storage, clock, digests }: GatewayParts,
): Promise<void> {
  const file = await storage.open(path);
  try {
    const { size, modifiedAt, etag } = file.entry;
    const tag = entityTag(etag);
    if (wanted !== null && wanted !== etag && wanted !== tag) {
      throw new StreamError("CHANGED", `${quote(path)} is not the file any more that it was.`);
    }
    const state = { tag, modifiedAt };
    const now = clock.wallTime();
    const fields = call.request.headers;
    const verdict = judge(fields, state, { isRead: true, now });
    const common = { etag: tag, "last-modified": formatHttpDate(modifiedAt), "cache-control": "no-cache" };
    if (verdict === "not modified") return call.reply(304, common);
    if (verdict === "failed")
      throw new StreamError("CHANGED", `${quote(path)} is not in the state that was asked for.`);
    const type = contentType(path);
    const sha256 = digests.known(file.entry);
    const headers: OutgoingHttpHeaders = {
      ...common,
      "accept-ranges": "bytes",
      "content-disposition": contentDisposition(path, type),
      "content-security-policy": FILE_POLICY,
      ...(sha256 !== undefined && digestFields(sha256)),
    };
    const ranges = mayBeRanged(fields, state, now) ? parseRange(fields.range, size) : "whole";
    if (ranges === "unsatisfiable") {
      return call.reply(416, { ...common, "accept-ranges": "bytes", "content-range": `bytes */${size}` });
    }
    if (ranges === "whole") {
      await send(call, file, 200, { ...headers, "content-type": type, "content-length": size }, [[0, size]]);
    } else if (ranges.length === 1) {
      const range = ranges[0] as ByteRange;
      const length = range[1] - range[0];
      const more = { "content-type": type, "content-length": length, "content-range": contentRange(range, size) };
      await send(call, file, 206, { ...headers, ...more }, ranges);
    } else {
      const multipart = multipartOf(ranges, { size, type });
      const more = { "content-type": multipart.type, "content-length": multipart.length };
      await send(call, file, 206, { ...headers, ...more }, multipart.pieces);
    }
  } finally {
    await file.close();
  }
}

/** Pieces are made bytes, or parts of the file. */
async function send(
  call: HttpCall,
  file: OpenFile,
  status: number,
  headers: OutgoingHttpHeaders,
  pieces: readonly (Uint8Array | ByteRange)[],
): Promise<void> {
  if (call.isHead) {
    call.response.writeHead(status, headers);
    call.response.end();
    return;
  }
  const work = async () => {
    call.begin(status, headers);
    for (const piece of pieces) {
      if (piece instanceof Uint8Array) await call.paced(piece.length, call.connection.send(piece));
      else await sendFilePart(call, file, piece);
    }
    if (!call.isClosed) call.response.end();
  };
  await call.guest?.member.transfers.run(call, BODY_NEED, work);
}
