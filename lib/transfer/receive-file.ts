import { CommError } from "../errors.ts";
import { quote } from "../path.ts";
import { checkShape } from "../protocol/json.ts";
import { type GetResult, GetTrailer } from "../protocol/methods.ts";
import type { Stream } from "../session/stream.ts";
import type { FileSink, Sha256 } from "../storage/storage.ts";

export interface ReceiveOptions {
  /** Path in the repository, for messages. */
  readonly path: string;
  readonly metadata: GetResult;
  readonly sink: FileSink;
  readonly sha256: Sha256;
  /** Told the bytes that have reached the sink, in all. */
  onProgress?(bytes: number): void;
}

/**
 * Take the body of a `get` into `sink`, verify length and digest, commit. On any failure the sink is left
 * to the caller, uncommitted.
 *
 * @returns the SHA-256 of the file, in hexadecimal
 * @throws CommError INCOMPLETE, DIGEST_MISMATCH; as Stream.read() and FileSink.write()
 */
export async function receiveFile(stream: Stream, options: ReceiveOptions): Promise<string> {
  const { path, metadata, sink, sha256 } = options;
  let received = 0;
  for await (const piece of stream.body()) {
    received += piece.length;
    if (received > metadata.size) {
      throw new CommError("INCOMPLETE", `${quote(path)} is longer than the ${metadata.size} bytes announced.`);
    }
    sha256.update(piece);
    await sink.write(piece);
    options.onProgress?.(received);
  }
  if (received < metadata.size) {
    throw new CommError("INCOMPLETE", `${quote(path)} ended after ${received} of ${metadata.size} bytes.`);
  }
  const digest = sha256.digest("hex");
  if (checkShape(GetTrailer, stream.trailer, "The end of a file").sha256 !== digest) {
    throw new CommError("DIGEST_MISMATCH", `The bytes of ${quote(path)} that arrived are not those that were sent.`);
  }
  await sink.commit(metadata.modifiedAt);
  return digest;
}
