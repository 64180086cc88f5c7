import { CommError } from "../../errors.ts";
import type { ConsoleIo } from "../console-io.ts";
import { askYesNo } from "../terminal/ask-yes-no.ts";

/** Whether there is somebody to ask. */
export function canAsk(io: Pick<ConsoleIo, "inIsTty" | "noteIsTty">): boolean {
  return io.inIsTty && io.noteIsTty;
}

/** Ask a yes/no question on the terminal. @throws CommError INTERRUPTED */
export async function askPerson(io: ConsoleIo, question: string, signal: AbortSignal): Promise<boolean> {
  // Loaded for this alone: the line editor makes every start longer.
  const { openPrompt } = await import("../terminal/open-input.ts");
  const input = openPrompt(io);
  const close = () => input.close();
  signal.addEventListener("abort", close);
  try {
    const isAllowed = await askYesNo(input, question);
    if (signal.aborted) throw new CommError("INTERRUPTED", "Interrupted.");
    return isAllowed;
  } finally {
    signal.removeEventListener("abort", close);
    input.close();
  }
}
