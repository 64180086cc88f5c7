import type { MovedNews, TrustPrompts, TrustWarning } from "../../trust/dial-options.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { exposedTokenWarning } from "../exposure-words.ts";
import { describeError } from "../report.ts";
import { askPerson, canAsk } from "./ask-person.ts";

/** Asks and warns on the terminal while a server is dialled. */
export function trustPrompts(io: ConsoleIo): TrustPrompts {
  return {
    confirm: (server, fingerprint, signal) => confirm(io, { server, fingerprint, signal }),
    warn: (warning) => io.note(wordsOf(warning)),
    onMoved: (news) => io.note(movedWords(news)),
  };
}

function wordsOf(warning: TrustWarning): string {
  switch (warning.kind) {
    case "exposed token":
      return escapeText(exposedTokenWarning(warning));
    case "plaintext":
      return `Warning: the connection to ${escapeText(warning.server)} is not encrypted (--plaintext).`;
    case "not saved":
      return `The identity of ${escapeText(warning.server)} can't be saved: ${describeError(warning.fault)}`;
  }
}

function movedWords(news: MovedNews): string {
  const server = escapeText(news.server);
  if (news.kind === "looking")
    return `${server} does not answer at its known address. Looking for it on these networks …`;
  return `Found ${server} at ${escapeText(news.address)}, with the known identity. The new address is remembered.`;
}

/** @throws CommError INTERRUPTED */
async function confirm(
  io: ConsoleIo,
  { server, fingerprint, signal }: { server: string; fingerprint: string; signal: AbortSignal },
): Promise<boolean> {
  if (!canAsk(io)) return false;
  io.note(
    `The identity of ${escapeText(server)} is not known yet. Compare it with the one that the server shows at its start:`,
  );
  io.note(`  ${fingerprint}`);
  return askPerson(io, "Trust it from now on?", signal);
}
