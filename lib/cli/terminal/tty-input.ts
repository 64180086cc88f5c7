import { PassThrough } from "node:stream";
import { PasteFilter } from "./paste-filter.ts";

/**
 * A terminal's input as readline sees it. The real input of a closed window fails instead of ending, and throws when
 * its modes are set: in readline's close(), which then never reports that it is closed.
 */
export class TtyInput extends PassThrough {
  readonly isTTY = true;
  readonly #tty: NodeJS.ReadStream;
  /** Stop reading the terminal, and leave it to its next reader. */
  readonly release: () => void;

  /** `onGone` is called once, when the terminal is gone. */
  constructor(tty: NodeJS.ReadStream, onGone: () => void) {
    super();
    this.#tty = tty;
    const pastes = new PasteFilter();
    const onData = (bytes: Uint8Array) => void this.write(pastes.take(bytes));
    tty.on("data", onData).once("end", onGone).once("error", onGone);
    this.release = () => {
      // An error that comes later must not end the program either.
      tty
        .off("data", onData)
        .off("end", onGone)
        .off("error", onGone)
        .on("error", () => {});
    };
  }

  /** Raw mode gives keys as they come, otherwise lines that the system edits. A terminal that is gone has no modes. */
  setRawMode(on: boolean): this {
    try {
      this.#tty.setRawMode(on);
    } catch {
      // the end of the input reports it
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
