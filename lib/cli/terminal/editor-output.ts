import { Writable } from "node:stream";
import { columnsOf } from "./screen.ts";

/**
 * The terminal as readline sees it. What readline draws while no line is asked for (the echo of keys pressed during a
 * command) is dropped: it would overwrite the screen.
 */
export class EditorOutput extends Writable {
  readonly isTTY = true;
  readonly #tty: NodeJS.WriteStream;
  readonly #isShown: () => boolean;
  readonly release: () => void;

  constructor(tty: NodeJS.WriteStream, isShown: () => boolean) {
    super({ decodeStrings: false });
    this.#tty = tty;
    this.#isShown = isShown;
    const onResize = () => void this.emit("resize");
    tty.on("resize", onResize);
    this.release = () => void tty.off("resize", onResize);
  }

  get columns(): number {
    return columnsOf(this.#tty);
  }

  get rows(): number {
    return this.#tty.rows;
  }

  /** Written at once, since others write to the terminal as well. */
  override _write(text: string, _encoding: BufferEncoding, done: () => void): void {
    // A line may have several rows.
    if (this.#isShown()) this.#tty.write(text.replace(/\r?\n/g, "\r\n"));
    done();
  }
}
