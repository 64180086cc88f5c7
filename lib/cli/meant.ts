import type { Program } from "./command.ts";
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage-error.ts";

/**
 * Words of other programs, and what they are called here. Of several the first that the program has. They are no
 * aliases: a script has one name for each thing, and `list`, which goes into folders, is not quite `ls`.
 */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  add: ["join", "token"],
  ban: ["kick"],
  bg: ["jobs"],
  broadcast: ["say"],
  bye: ["exit"],
  cat: ["get"],
  cd: ["shell"],
  chat: ["send", "shell"],
  checksum: ["digest"],
  clients: ["status"],
  connect: ["shell"],
  copy: ["get"],
  cp: ["get"],
  del: ["remove"],
  delete: ["remove"],
  dir: ["list"],
  disconnect: ["kick"],
  download: ["get"],
  fetch: ["get"],
  fingerprint: ["identity", "servers"],
  halt: ["stop"],
  hash: ["digest"],
  info: ["status"],
  invite: ["token", "join"],
  invites: ["token"],
  key: ["identity"],
  kill: ["kick", "cancel"],
  less: ["cat", "get"],
  login: ["join"],
  logout: ["exit", "forget"],
  ls: ["list"],
  man: ["help"],
  md: ["mkdir"],
  message: ["send", "say"],
  mirror: ["sync"],
  more: ["cat", "get"],
  move: ["rename"],
  msg: ["send", "say"],
  mv: ["rename"],
  progress: ["jobs"],
  pull: ["get"],
  push: ["put"],
  rd: ["remove"],
  reget: ["get"],
  reput: ["put"],
  rm: ["remove"],
  rmdir: ["remove"],
  rsync: ["sync"],
  run: ["serve"],
  settings: ["config"],
  sha256sum: ["digest"],
  share: ["put", "link", "serve"],
  shutdown: ["stop"],
  start: ["serve"],
  tail: ["watch"],
  talk: ["shell", "say"],
  tell: ["send"],
  type: ["cat", "get"],
  upload: ["put"],
  user: ["token"],
  users: ["status", "token"],
  wait: ["fg"],
  wall: ["say"],
  who: ["status"],
  whoami: ["status"],
};

/** Every command of a program, and after them each word that may follow one: `console stop`. */
export function callsOf({ commands }: Program): string[] {
  const longer = Object.entries(commands).flatMap(([name, { args, completes }]) => {
    const first = Object.keys(args).find((key) => args[key]?.type === "positional");
    const words = first === undefined ? undefined : completes?.[first];
    return typeof words === "object" ? words.map((word) => `${name} ${word}`) : [];
  });
  return [...Object.keys(commands), ...longer];
}

/**
 * The call that a mistyped or foreign word most likely means: by its meaning, or by its spelling.
 *
 * @param calls commands, and commands with a word after them
 */
export function callMeant(word: string, calls: readonly string[]): string | undefined {
  const typed = word.toLowerCase();
  const synonyms = Object.hasOwn(SYNONYMS, typed) ? (SYNONYMS[typed] ?? []) : [];
  const [known] = [typed, ...synonyms].flatMap((name) => calls.find((call) => call.split(" ").at(-1) === name) ?? []);
  return (
    known ??
    nearest(
      typed,
      calls.filter((call) => !call.includes(" ")),
    )
  );
}

/** What the word of another program is called among these names. */
export function synonymOf(word: string, names: readonly string[]): string | undefined {
  const synonyms = Object.hasOwn(SYNONYMS, word) ? SYNONYMS[word] : undefined;
  return synonyms?.find((name) => names.includes(name));
}

/** The error for a word that is no command of a program. */
export function unknownCommand(word: string, program: Program, what = "command"): UsageError {
  const meant = callMeant(word, callsOf(program));
  return new UsageError(`Unknown ${what} "${word}".${meant === undefined ? "" : ` Did you mean "${meant}"?`}`);
}
