import { describe, expect, test } from "bun:test";
import type { IncomingHttpHeaders } from "node:http";
import { CommError } from "../../../lib/errors.ts";
import { HttpFault } from "../../../lib/gateway/http-fault.ts";
import { readUpload, type Upload } from "../../../lib/gateway/upload-fields.ts";

const read = (headers: IncomingHttpHeaders) => readUpload(headers, Date.UTC(2026, 10, 30));

/** Status and code of the refusal. */
function refusal(headers: IncomingHttpHeaders): [status: number | undefined, code: string] {
  try {
    read(headers);
  } catch (thrown) {
    if (thrown instanceof HttpFault) return [thrown.status, thrown.code];
    if (thrown instanceof CommError) return [undefined, thrown.code];
  }
  throw new Error("It was not refused.");
}

describe("the head of a PUT", () => {
  const chunked = { "transfer-encoding": "chunked" };
  const rows: [headers: IncomingHttpHeaders, upload: Partial<Upload>][] = [
    [{}, { size: 0, offset: 0, modifiedAt: undefined }],
    [{ "content-length": "7" }, { size: 7, offset: 0 }],
    [chunked, { size: undefined, offset: 0 }],
    [{ ...chunked, "x-expected-entity-length": "9" }, { size: 9 }],
    [{ "content-length": "7", "x-expected-entity-length": "9" }, { size: 7 }],
    [
      { "content-length": "10", "content-range": "bytes 0-9/10" },
      { size: 10, offset: 0 },
    ],
    [
      { "content-length": "6", "content-range": "bytes 4-9/10" },
      { size: 10, offset: 4 },
    ],
    [
      { ...chunked, "content-range": "bytes 4-9/10" },
      { size: 10, offset: 4 },
    ],
    [
      { "content-length": "6", range: "bytes=4-9/10" },
      { size: 10, offset: 4 },
    ],
    [{ "x-oc-mtime": "1500000000" }, { modifiedAt: 1_500_000_000_000 }],
    [{ "x-oc-mtime": "1500000000.25" }, { modifiedAt: 1_500_000_000_250 }],
    [{ "last-modified": "Fri, 14 Jul 2017 02:40:00 GMT" }, { modifiedAt: 1_500_000_000_000 }],
    [{ "last-modified": "last week" }, { modifiedAt: undefined }],
    [{ "content-encoding": "identity" }, { size: 0 }],
  ];
  test.each(rows)("%p is read", (headers, upload) => {
    expect(read(headers)).toMatchObject(upload);
  });

  const parts: IncomingHttpHeaders[] = [
    { "content-range": "bytes 4-9/11", "content-length": "6" },
    { "content-range": "bytes 4-9/10", "content-length": "7" },
    { "content-range": "bytes 9-4/10" },
    { "content-range": "bytes 10-9/10", "content-length": "0" },
    { "content-range": "bytes */10" },
    { "content-range": "bytes 4-9/*" },
    { "content-range": "bytes=4-9/10", "content-length": "6" },
    { "content-range": "lines 4-9/10" },
    { "content-range": "" },
    { "content-range": "bytes 4-99999999999999999999/99999999999999999999" },
    { range: "bytes=4-9" },
    { range: "bytes=4-" },
    { range: "bytes=-4" },
    { range: "bytes 4-9/10", "content-length": "6" },
    { range: "bytes=4-9/10", "content-range": "bytes 4-9/10", "content-length": "6" },
  ];
  test.each(parts)("%p is refused: it may be a part that would pass for the whole", (headers) => {
    expect(refusal(headers)).toEqual([undefined, "BAD_PARAMS"]);
  });

  test("with codings, or an invalid time, is refused", () => {
    expect(refusal({ "content-encoding": "gzip" })).toEqual([415, "BAD_PARAMS"]);
    expect(refusal({ "transfer-encoding": "gzip, chunked" })).toEqual([501, "BAD_PARAMS"]);
    for (const time of ["", "-1", "1e9", "NaN", "99999999999999"]) {
      expect(refusal({ "x-oc-mtime": time })).toEqual([undefined, "BAD_PARAMS"]);
    }
  });
});
