/**
 * Counts of what has happened on a stream: a watch sees from them whether it makes progress, WORKING whether it is due.
 */
export class StreamActivity {
  /** Frames of the peer. */
  heard = 0;
  /** Those of them that were WORKING and said nothing else. */
  workings = 0;
  /** What had been sent when mustSayWorking() was called last; undefined: it never was. */
  #sentBefore: number | undefined;

  /** `sent`: frames so far. @returns true when nothing was sent since this was called last */
  mustSayWorking(sent: number): boolean {
    const isQuiet = sent === this.#sentBefore;
    this.#sentBefore = sent;
    return isQuiet;
  }
}
