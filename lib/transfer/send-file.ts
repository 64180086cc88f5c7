import { StreamError } from "../errors.ts";
import { quote } from "../path.ts";
import type { GetResult } from "../protocol/methods.ts";
import type { Stream } from "../session/stream.ts";
import type { OpenFile, Sha256 } from "../storage/storage.ts";

const READ_BYTES = 256 * 1024;

/**
 * Answer `get` with an open file: its size, its bytes, its digest. Reads ahead by one buffer while the
 * one before is on its way; a slow receiver holds both back. The caller closes the file.
 *
 * @throws StreamError CHANGED when the file is not what it was at the opening
 * @throws StorageError when it can't be read; as Stream.write() when the receiver is gone
 */
export async function sendFile(stream: Stream, file: OpenFile, sha256: Sha256): Promise<void> {
  const { size, modifiedAt, etag, path } = file.entry;
  stream.accept({ size, modifiedAt, etag } satisfies GetResult);

  const buffers = [new Uint8Array(Math.min(size, READ_BYTES)), new Uint8Array(Math.min(size, READ_BYTES))] as const;
  const readAt = async (index: number, position: number): Promise<Uint8Array> => {
    const buffer = buffers[index % 2] as Uint8Array;
    const wanted = Math.min(buffer.length, size - position);
    const bytes = buffer.subarray(0, await file.read(buffer.subarray(0, wanted), position));
    if (bytes.length === 0 && wanted > 0) throw changed(path);
    sha256.update(bytes);
    return bytes;
  };

  let piece = await readAt(0, 0);
  let position = piece.length;
  for (let index = 1; piece.length > 0; index++) {
    const [next] = await Promise.all([readAt(index, position), stream.write(piece)]);
    piece = next;
    position += piece.length;
  }
  if ((await file.currentEtag()) !== etag) throw changed(path);
  await stream.end({ sha256: sha256.digest("hex") });
}

function changed(path: string): StreamError {
  return new StreamError("CHANGED", `${quote(path)} changed while it was sent.`);
}
