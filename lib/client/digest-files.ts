import type { Digest64 } from "../block.ts";
import { CommError } from "../errors.ts";
import type { DigestResult } from "../protocol/methods.ts";
import type { Clock } from "../session/clock.ts";
import type { Connection } from "./connection.ts";
import { digestAll } from "./digests.ts";
import { MAX_OUTSTANDING } from "./transfer.ts";

export interface DigestFilesOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly digest64: Digest64;
  readonly signal: AbortSignal;
  /** The next one is told when the returned promise resolves. */
  onDigest(path: string, digest: DigestResult): void | Promise<void>;
  /** This path has no digest; the others continue. */
  onFailed(path: string, error: CommError): void | Promise<void>;
}

/**
 * The SHA-256 of files of the repository, over as many links as it takes. Each path is told in its turn, as often as it
 * is in `paths`. The memory does not depend on how many there are.
 *
 * @throws as Connection.persist(); CommError INTERRUPTED by `signal`
 */
export async function digestFiles(paths: readonly string[], options: DigestFilesOptions): Promise<void> {
  for (let from = 0; from < paths.length; from += MAX_OUTSTANDING) {
    await digestSome(paths.slice(from, from + MAX_OUTSTANDING), options);
  }
}

async function digestSome(paths: readonly string[], options: DigestFilesOptions): Promise<void> {
  const { connection, onDigest, onFailed } = options;
  /** Answers stay until the last path is told: a path may be given again, and a server may put some off. */
  const answers = new Map<string, DigestResult | CommError>();
  let told = 0;
  const add = async (path: string, answer: DigestResult | CommError) => {
    answers.set(path, answer);
    connection.noteProgress();
    for (;;) {
      const next = paths[told];
      const known = next === undefined ? undefined : answers.get(next);
      if (next === undefined || known === undefined) return;
      told++;
      await (known instanceof CommError ? onFailed(next, known) : onDigest(next, known));
    }
  };
  await connection.persist((client) => {
    const left = new Set(paths.filter((path) => !answers.has(path)));
    return digestAll(client, [...left], { ...options, onDigest: add, onFailed: add });
  });
}
