import type { BlockTag, Digest64 } from "../block.ts";
import type { ErrorCode } from "../errors.ts";
import type { PathKind } from "../path.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";
import type { Storage } from "../storage/storage.ts";
import type { GivenNames } from "./given-names.ts";
import type { SpareBuffers } from "./spare-buffers.ts";

/** The source and target of a `put`'s files, and their limits. */
export interface PutReceiverOptions {
  readonly stream: Stream;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly digest64: Digest64;
  /** Absent: the peer takes no offers of pieces. */
  readonly blockTag?: BlockTag | undefined;
  /** Blocks in memory: one that arrives, the others being written. */
  readonly blocks: number;
  /** The source of their buffers; absent: they are allocated. */
  readonly buffers?: SpareBuffers;
  /** The names that this client's transfer has given, also over an earlier link. */
  readonly names: GivenNames;
  /** The kind of paths that the sender may use. */
  readonly paths: PathKind;
  /** Whether the peer may announce holes; otherwise a member of that name is ignored. */
  readonly knowsHoles: boolean;
  /** The most bytes of small files that are held at once; one file is always allowed. */
  readonly heldBytes: number;
  onStored(path: string, size: number): void;
  /** A failure in words for the sender. */
  describe(thrown: unknown): { code: ErrorCode; message: string };
}
