/**
 * Counts of what has happened on a stream. They show a watch whether it makes progress, and whether a WORKING is due.
 */
export class StreamActivity {
  /** Frames of the peer. */
  heard = 0;
  /** How many of them were WORKING. */
  workings = 0;
  /** Frames sent until the last mustSayWorking(); undefined before the first. */
  #sentBefore: number | undefined;

  /** `sent`: frames so far. @returns true when nothing was sent since the last call */
  mustSayWorking(sent: number): boolean {
    const isQuiet = sent === this.#sentBefore;
    this.#sentBefore = sent;
    return isQuiet;
  }
}
