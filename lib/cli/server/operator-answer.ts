import type { ConsoleIo } from "../console-io.ts";

/** The answer to a line of the operator. */
export interface Answer {
  /** For people. */
  readonly text: string;
  /** For programs. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** How answers are shown, and what the console can do in which the line was typed. */
export interface AnswerIo extends Pick<ConsoleIo, "color" | "outColumns"> {
  /** Ask whether to stop the server, after a line about who is connected. Absent where nobody can answer. */
  confirmStop?(connected: string): Promise<boolean>;
  /** Leave the console. Absent for a single command, which has none. */
  leave?(): void;
}
