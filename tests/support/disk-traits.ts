/** The peculiarities of a disk, by which a contract knows what is right there. */
export interface DiskTraits {
  /** The resolution of its times in milliseconds: it keeps multiples of this. */
  readonly timeStep: number;
  /** The largest size of a file in bytes, if the disk has room for a larger one. */
  readonly maxFile?: number;
  /** It ignores the case of letters in names. */
  readonly isCaseless?: true;
  /** It silently cuts dots off the end of a name. */
  readonly cutsDots?: true;
  /** Every file there is executable. */
  readonly isAllExecutable?: true;
  /** Matches names that it refuses. */
  readonly refused?: RegExp;
  /** A file that is removed while it is open stays in its folder under another name until it is closed: FUSE, NFS. */
  readonly hidesOpenFiles?: true;
  /** The system does not report others' changes there. */
  readonly isSilent?: true;
}

export const PLAIN_DISK: DiskTraits = { timeStep: 1 };

/** A time as the disk keeps it. */
export function timeOn({ timeStep }: DiskTraits, time: number): number {
  return Math.floor(time / timeStep) * timeStep;
}
