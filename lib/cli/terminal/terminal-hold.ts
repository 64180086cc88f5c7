import { isInForeground } from "./foreground.ts";
import { PASTE_OFF, PASTE_ON } from "./paste-filter.ts";
import { isDumb } from "./screen.ts";
import { onSignals } from "./signals.ts";
import type { TtyInput } from "./tty-input.ts";

/** How often a background job checks whether it has its terminal back: without a stop, no signal announces that. */
const FOREGROUND_CHECK_MS = 300;

export interface TerminalHoldOptions {
  readonly input: TtyInput;
  readonly output: NodeJS.WriteStream;
  /** Other programs have the terminal now. */
  onAway(): void;
  /** The terminal is ours again; what was on its screen may be gone. */
  onBack(): void;
}

/** The terminal while this program edits lines on it: its modes, stops by Ctrl-Z, and the return from them. */
export class TerminalHold {
  readonly #options: TerminalHoldOptions;
  #isAway = false;
  /**
   * Ctrl-Z was pressed. Both the return from the stop and a signal say that the program continues: handle the first
   * only.
   */
  #isSuspended = false;
  #check: ReturnType<typeof setInterval> | undefined;
  /** Give the terminal back as it was. */
  readonly release: () => void;

  constructor(options: TerminalHoldOptions) {
    this.#options = options;
    const offSignals = onSignals(["SIGCONT"], () => {
      if (!this.#isSuspended) this.#onContinued();
      this.#isSuspended = false;
    });
    // However the program ends, the next one gets no marks.
    const onExit = () => this.#markPastes(false);
    process.once("exit", onExit);
    this.#markPastes(true);
    this.release = () => {
      offSignals();
      process.off("exit", onExit);
      clearInterval(this.#check);
      this.#markPastes(false);
    };
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  /**
   * Ctrl-Z: the whole job stops, and the shell gets its terminal as it was. Where no shell could continue us (`ssh -t`,
   * `docker run -t`, a window of its own) the system does not stop us, and no signal follows.
   */
  suspend(): void {
    this.#isSuspended = true;
    this.#markPastes(false);
    this.#options.input.setRawMode(false);
    process.kill(0, "SIGTSTP");
    this.#onContinued();
  }

  /** The shell has continued us, in the foreground or the background: `fg` or `bg`. */
  #onContinued(): void {
    const { input, onAway, onBack } = this.#options;
    this.#isAway = !isInForeground();
    clearInterval(this.#check);
    if (this.#isAway) {
      // Reading a terminal that others use would stop us.
      onAway();
      this.#check = setInterval(() => {
        if (isInForeground()) this.#onContinued();
      }, FOREGROUND_CHECK_MS);
      this.#check.unref();
      return;
    }
    input.setRawMode(false);
    input.setRawMode(true);
    this.#markPastes(true);
    onBack();
  }

  /** Whether the terminal marks what is pasted. */
  #markPastes(on: boolean): void {
    if (!isDumb() && isInForeground()) this.#options.output.write(on ? PASTE_ON : PASTE_OFF);
  }
}
