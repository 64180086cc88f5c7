import { PassThrough } from "node:stream";

/**
 * A terminal's input, as readline may have it. The real one of a window that was closed fails in place of ending, and throws
 * when its modes are set: in readline's close(), which then never says that it is closed.
 */
export class TtyInput extends PassThrough {
  readonly isTTY = true;
  readonly #tty: NodeJS.ReadStream;
  /** Take nothing more from the terminal, and leave it to the next one. */
  readonly release: () => void;

  /** `onGone` is called once, when there is no terminal any more. */
  constructor(tty: NodeJS.ReadStream, onGone: () => void) {
    super();
    this.#tty = tty;
    const onData = (bytes: Uint8Array) => void this.write(bytes);
    tty.on("data", onData).once("end", onGone).once("error", onGone);
    this.release = () => {
      // What fails later still must not end the program.
      tty
        .off("data", onData)
        .off("end", onGone)
        .off("error", onGone)
        .on("error", () => {});
    };
  }

  /** Keys one by one as they come, or lines as the system edits them. A terminal that is gone has no modes. */
  setRawMode(on: boolean): this {
    try {
      this.#tty.setRawMode(on);
    } catch {
      // told by its end
    }
    return this;
  }

  override pause(): this {
    this.#tty.pause();
    return super.pause();
  }

  override resume(): this {
    this.#tty.resume();
    return super.resume();
  }
}
