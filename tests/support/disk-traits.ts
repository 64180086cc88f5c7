/** What a disk does in its own way. A contract asks these for what is right there. */
export interface DiskTraits {
  /** Times that can't be told apart are at most so many milliseconds apart; what it keeps is a multiple. */
  readonly timeStep: number;
  /** Bytes that one file can have at most, where there could be a larger one. */
  readonly maxFile?: number;
  /** It takes names in another case of letters for the same. */
  readonly isCaseless?: true;
  /** It cuts dots off the end of a name, without a word. */
  readonly cutsDots?: true;
  /** Every file there is executable. */
  readonly isAllExecutable?: true;
  /** What a name there can't have. */
  readonly refused?: RegExp;
  /** A file that is open when it is removed stays in its folder, by another name, until it is closed: FUSE, NFS. */
  readonly hidesOpenFiles?: true;
  /** The system does not tell what others change there. */
  readonly isSilent?: true;
}

export const PLAIN_DISK: DiskTraits = { timeStep: 1 };

/** What the disk makes of a time. */
export function timeOn({ timeStep }: DiskTraits, time: number): number {
  return Math.floor(time / timeStep) * timeStep;
}
