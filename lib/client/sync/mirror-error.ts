import { CommError, type ErrorCode } from "../../errors.ts";

/** Why a mirror does not do all that it would have to. */
export type MirrorFault =
  /** Something of another kind is in the place, and nothing may be removed. */
  | "in the way"
  /** Something of another kind is in the place, and it is not removed. */
  | "kept"
  /** Nothing is removed: something before has failed. */
  | "failed"
  /** Nothing is removed: the source has changed while it was listed. */
  | "cut"
  /** Nothing is removed: the source is empty. */
  | "empty"
  /** Nothing is removed: it would be more than allowed. */
  | "many";

/** A mirror leaves its target with something that the source does not have, or without something that it has. */
export class MirrorError extends CommError {
  override readonly name = "MirrorError";
  readonly fault: MirrorFault;

  constructor(fault: MirrorFault, code: ErrorCode, message: string) {
    super(code, message);
    this.fault = fault;
  }
}
