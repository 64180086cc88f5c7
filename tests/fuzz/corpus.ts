import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Conversation } from "./conversation.ts";
import { parseConversation } from "./corpus-format.ts";

const FOLDER = join(import.meta.dir, "corpus");

/** All conversations of the corpus, by name. */
export function loadCorpus(): Conversation[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"));
  return names.sort().map((name) => parseConversation(name, readFileSync(join(FOLDER, name), "utf8")));
}
