import { BLOCK_BYTES } from "../block.ts";
import { baseName } from "../path.ts";
import { digest } from "../server/methods/digest.ts";
import type { GatewayParts } from "../server/parts.ts";
import { DIGEST_NEED } from "../server/transfer-needs.ts";
import type { OpenFile } from "../storage/storage.ts";
import { storageFault } from "../storage-faults.ts";
import { Yielder } from "../yielder.ts";
import type { HttpCall } from "./http-call.ts";
import { encodePath, FILES } from "./request-target.ts";
import { requireRate } from "./too-often.ts";
import { escapeXml } from "./xml-text.ts";

/** The most digests of pieces for a file. */
const MAX_PIECES = 2_048;

/** Bytes of a piece: a power of two times a megabyte. */
export function pieceBytes(size: number): number {
  let bytes = BLOCK_BYTES;
  while (size > bytes * MAX_PIECES) bytes *= 2;
  return bytes;
}

/**
 * Answer GET and HEAD for the Metalink of a file (RFC 5854): its address in this state, and the SHA-256 of each piece
 * and of all, with which aria2c repairs damaged pieces. `host`: the server's name as the client knows it. The digests
 * are sent as they are computed, so that the client soon gets a first byte.
 *
 * @throws StorageError as Storage.open(), OpenFile.read(); TooOftenError
 */
export async function answerMetalink(call: HttpCall, path: string, host: string, server: GatewayParts): Promise<void> {
  const { guest } = call;
  if (guest === undefined) return;
  // This reads a whole file, as that method does.
  requireRate(digest, call, server);
  await guest.member.lookups.run(call, DIGEST_NEED, async () => {
    const file = await server.storage.open(path);
    try {
      call.head(200, { "content-type": "application/metalink4+xml", "cache-control": "no-cache" });
      if (call.isHead) return void call.response.end();
      await call.write(headOf(call, file, host));
      await tellPieces(call, file, server);
      if (!call.isClosed) call.response.end();
    } finally {
      await file.close();
    }
  });
}

function headOf({ connection }: HttpCall, { entry }: OpenFile, host: string): string {
  const { path, size, etag } = entry;
  const scheme = connection.isEncrypted ? "https" : "http";
  const address = `${scheme}://${host}/${FILES}/${encodePath(path)}?etag=${encodeURIComponent(etag)}`;
  return `<?xml version="1.0" encoding="utf-8"?>
<metalink xmlns="urn:ietf:params:xml:ns:metalink">
<file name="${escapeXml(baseName(path))}">
<size>${size}</size>
<url>${escapeXml(address)}</url>
<pieces length="${pieceBytes(size)}" type="sha-256">
`;
}

/** @throws StorageError as OpenFile.read(); CHANGED at an end that comes too early */
async function tellPieces(call: HttpCall, file: OpenFile, { clock }: GatewayParts): Promise<void> {
  const { size, path } = file.entry;
  const length = pieceBytes(size);
  const whole = new Bun.CryptoHasher("sha256");
  const buffer = new Uint8Array(Math.min(BLOCK_BYTES, Math.max(1, size)));
  const yielder = new Yielder(clock);
  for (let at = 0; at < size && !call.isClosed; ) {
    const piece = new Bun.CryptoHasher("sha256");
    for (const end = Math.min(size, at + length); at < end && !call.isClosed; ) {
      const bytes = await file.read(buffer.subarray(0, Math.min(buffer.length, end - at)), at);
      if (bytes === 0) throw storageFault.changed(path);
      piece.update(buffer.subarray(0, bytes));
      whole.update(buffer.subarray(0, bytes));
      at += bytes;
      if (yielder.isDue) await yielder.pause();
    }
    await call.write(`<hash>${piece.digest("hex")}</hash>\n`);
  }
  await call.write(`</pieces>\n<hash type="sha-256">${whole.digest("hex")}</hash>\n</file>\n</metalink>\n`);
}
