import { restartWith } from "../platform/restart.ts";

/** The last of the runtime's compilers takes more time than its code saves, where a program works for seconds. */
const NO_LAST_COMPILER = { BUN_JSC_useFTLJIT: "0" };
/** Each piece that arrives gets new memory: keep what was freed for the next ones. */
const KEEP_MEMORY = { MIMALLOC_PURGE_DELAY: "-1" };

/**
 * Begin the client again with settings for transfers, if its words have a command that moves files: they take a quarter of
 * the processor time of many small files, and some milliseconds of each start.
 */
export function tuneClient(words: readonly string[]): void {
  // The words after these move nothing: they are a line that is being typed, or what to explain.
  if (words[0] === "completions" || words[0] === "help") return;
  if (words.some((word) => word === "get" || word === "put")) restartWith({ ...NO_LAST_COMPILER, ...KEEP_MEMORY });
  // A mirror may watch for weeks: see tuneServer().
  else if (words.includes("sync")) restartWith(NO_LAST_COMPILER);
}

/** Begin the server again with settings for serving, unless another command is among its words. */
export function tuneServer(words: readonly string[]): void {
  const isServing = !words.some((word) =>
    /^(?:console|token|identity|config|completions|help|version|--help|-h|--version|-V)$/.test(word),
  );
  // Memory that is kept would be lost to a program that runs for weeks.
  if (isServing) restartWith(NO_LAST_COMPILER);
}
