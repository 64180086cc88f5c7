import type { ConsoleIo } from "../console-io.ts";
import type { Screen } from "../terminal/screen.ts";

/** The most lines that are kept of a job in the background, the newest ones. */
const MAX_KEPT = 100;

/** Where a line was to go. */
interface Kept {
  readonly to: "out" | "note";
  readonly line: string;
}

/**
 * The console of a job. In the foreground it is the shell's. In the background no bars are drawn, and bytes for standard
 * output wait for the foreground; where a person types, lines wait, too: the prompt is theirs.
 */
export class JobIo implements ConsoleIo {
  readonly #io: ConsoleIo;
  readonly #kept: Kept[] = [];
  #dropped = 0;
  #inFront = false;
  #front = Promise.withResolvers<void>();

  constructor(io: ConsoleIo) {
    this.#io = io;
  }

  /** Whether lines go to the shell's console now. */
  get #passesLines(): boolean {
    return this.#inFront || !(this.#io.inIsTty && this.#io.outIsTty);
  }

  get isInFront(): boolean {
    return this.#inFront;
  }

  /** Resolves when the job is in the foreground. */
  get front(): Promise<void> {
    return this.#front.promise;
  }

  /** Bring the job to the foreground: show what was kept. */
  async toFront(): Promise<void> {
    this.#inFront = true;
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0) this.#io.note(`… ${dropped} earlier lines are not kept.`);
    for (const { to, line } of this.#kept.splice(0)) {
      if (to === "note") this.#io.note(line);
      else await this.#io.out(`${line}\n`);
    }
    this.#front.resolve();
  }

  toBack(): void {
    if (!this.#inFront) return;
    this.#inFront = false;
    this.#front = Promise.withResolvers();
  }

  async out(text: string | Uint8Array): Promise<void> {
    if (this.#inFront || (typeof text === "string" && this.#passesLines)) return this.#io.out(text);
    if (typeof text === "string") return this.#keep("out", text);
    await this.front;
    return this.out(text);
  }

  note(line: string): void {
    if (this.#passesLines) this.#io.note(line);
    else this.#keep("note", line);
  }

  async log(lines: string): Promise<void> {
    if (this.#passesLines) return this.#io.log(lines);
    this.#keep("note", lines);
  }

  show(lines: string, to: Kept["to"]): Promise<void> {
    return this.#io.show(lines, to);
  }

  flush(): Promise<void> {
    return this.#io.flush();
  }

  #keep(to: Kept["to"], text: string): void {
    for (const line of text.replace(/\n$/, "").split("\n")) this.#kept.push({ to, line });
    this.#dropped += this.#kept.splice(0, this.#kept.length - MAX_KEPT).length;
  }

  get canRedraw(): boolean {
    return this.#inFront && this.#io.canRedraw;
  }

  get screen(): Screen {
    return this.#io.screen;
  }

  get outIsTty(): boolean {
    return this.#io.outIsTty;
  }

  get outColumns(): number | undefined {
    return this.#io.outColumns;
  }

  get noteIsTty(): boolean {
    return this.#io.noteIsTty;
  }

  get inIsTty(): boolean {
    return this.#io.inIsTty;
  }

  get color(): boolean {
    return this.#io.color;
  }

  get isShell(): boolean {
    return this.#io.isShell === true;
  }
}
