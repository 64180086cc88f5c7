import { CommError } from "../../errors.ts";
import type { LineInput } from "./line-input.ts";

/** Ask a question; only "y" and "yes" mean yes. @throws CommError INTERRUPTED at Ctrl-C */
export async function askYesNo(input: LineInput, question: string): Promise<boolean> {
  const answer = await input.ask(`${question} [y/N] `);
  if (answer.kind === "interrupt") throw new CommError("INTERRUPTED", "Interrupted.");
  return answer.kind === "line" && /^y(es)?$/i.test(answer.text.trim());
}
