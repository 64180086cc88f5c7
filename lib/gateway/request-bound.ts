/** The shortest possible request: "GET / HTTP/1.0" and a blank line. */
const SHORTEST_BYTES = 18;

const BLANK_LINE = "\r\n\r\n";

/** How many of `bytes` the parser may get to report at most `room` requests, whose heads end with blank lines. */
export function boundOf(bytes: Uint8Array, room: number): number {
  if (bytes.length <= room * SHORTEST_BYTES) return bytes.length;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let end = 0;
  for (let heads = 0; heads < room; heads++) {
    const at = buffer.indexOf(BLANK_LINE, end, "latin1");
    if (at === -1) return bytes.length;
    end = at + BLANK_LINE.length;
  }
  return end;
}
