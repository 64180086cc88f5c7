import type { ConsoleIo } from "../console-io.ts";
import { LineEditor, type LineEditorOptions } from "./line-editor.ts";
import type { LineInput } from "./line-input.ts";
import { PipedLines } from "./piped-lines.ts";

/** Lines of this process's standard input: edited at a prompt where there is a terminal, else as they are piped in. */
export function openInput(io: ConsoleIo, options: Pick<LineEditorOptions, "history" | "complete">): LineInput {
  const { stdin, stdout } = process;
  if (!io.inIsTty || !io.outIsTty) return new PipedLines(stdin);
  return new LineEditor({ ...options, input: stdin, output: stdout, screen: io.screen });
}

/** Input for one answer on the terminal, even when standard output goes elsewhere. */
export function openPrompt(io: ConsoleIo): LineInput {
  return new LineEditor({ input: process.stdin, output: process.stderr, screen: io.screen, history: [] });
}
