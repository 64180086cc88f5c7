/** What has happened on a stream, as counts: a watch sees whether it gets on, WORKING whether it must be said. */
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
