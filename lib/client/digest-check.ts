import type { Digest64 } from "../block.ts";
import { CommError, toCommError } from "../errors.ts";
import type { DigestResult } from "../protocol/methods.ts";
import { quote } from "../quote.ts";
import type { Clock } from "../session/clock.ts";
import type { OpenFile } from "../storage/storage.ts";
import { digestFile, type Sha256 } from "../transfer/digest-file.ts";
import type { Connection } from "./connection.ts";
import { digestAll } from "./digests.ts";

/** A file whose digests are compared. */
export interface DigestPair<Item> {
  readonly item: Item;
  /** Its path in the repository. */
  readonly remote: string;
  /** The file on this machine. */
  open(): Promise<OpenFile>;
}

export interface DigestCheckTerms<Pair> {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly digest64: Digest64;
  readonly signal: AbortSignal;
  sha256(): Sha256;
  /** The comparison of this pair begins. */
  onBegin(pair: Pair): void;
  /** Both ends have the same digest. */
  onSame(pair: Pair, sha256: string): void;
  onFailed(pair: Pair, error: CommError): void;
}

/** Compare the SHA-256 of both ends, over as many links as it takes. @throws CommError INTERRUPTED */
export async function compareDigests<Pair extends DigestPair<unknown>>(
  pairs: readonly Pair[],
  terms: DigestCheckTerms<Pair>,
): Promise<void> {
  const { connection, onBegin, onSame, onFailed } = terms;
  // Several local files may come from one of the server's.
  const left = Map.groupBy(pairs, ({ remote }) => remote);
  const take = (path: string): readonly Pair[] => {
    const taken = left.get(path) ?? [];
    left.delete(path);
    const [next] = left.values();
    if (next?.[0] !== undefined) onBegin(next[0]);
    return taken;
  };
  try {
    await connection.persist((client) =>
      digestAll(client, [...left.keys()], {
        clock: terms.clock,
        digest64: terms.digest64,
        signal: terms.signal,
        async onDigest(path, theirs) {
          connection.noteProgress();
          for (const pair of take(path)) {
            await compare(pair, theirs, terms.sha256())
              .then((sha256) => onSame(pair, sha256))
              .catch((thrown) => onFailed(pair, toCommError(thrown)));
          }
        },
        onFailed(path, error) {
          for (const pair of take(path)) onFailed(pair, error);
        },
      }),
    );
  } catch (thrown) {
    const error = toCommError(thrown);
    if (error.code === "INTERRUPTED") throw error;
    for (const rest of left.values()) for (const pair of rest) onFailed(pair, error);
  }
}

/** @returns the SHA-256 of both ends @throws CommError DIGEST_MISMATCH; as DigestPair.open() */
async function compare(pair: DigestPair<unknown>, theirs: DigestResult, hasher: Sha256): Promise<string> {
  const file = await pair.open();
  try {
    const ours = await digestFile(file, hasher);
    if (theirs.sha256 === ours) return ours;
    const names = `${quote(file.entry.path)} has another SHA-256 than ${quote(pair.remote)} at the server.`;
    throw new CommError("DIGEST_MISMATCH", names);
  } finally {
    await file.close();
  }
}
