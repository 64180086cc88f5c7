import type { Digest64 } from "../block.ts";
import type { ErrorCode } from "../errors.ts";
import type { PathKind } from "../path.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";
import type { Storage } from "../storage/storage.ts";
import type { GivenNames } from "./given-names.ts";
import type { SpareBuffers } from "./spare-buffers.ts";

/** Where the files of a `put` come from and go, and what they may take. */
export interface PutReceiverOptions {
  readonly stream: Stream;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly digest64: Digest64;
  /** Blocks in memory: one that arrives, the others while they are written. */
  readonly blocks: number;
  /** Where room for them comes from and goes; absent: it is made. */
  readonly buffers?: SpareBuffers;
  /** What this client's transfer has given, also over an earlier link. */
  readonly names: GivenNames;
  /** Which of them the sender may name. */
  readonly paths: PathKind;
  /** Whether the peer may tell holes: else a member of that name means nothing. */
  readonly knowsHoles: boolean;
  /** Bytes of small files that may be between their beginning and their end; one of them may always be. */
  readonly heldBytes: number;
  onStored(path: string, size: number): void;
  /** A failure in words for the sender. */
  describe(thrown: unknown): { code: ErrorCode; message: string };
}
