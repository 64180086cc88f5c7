import { resolve } from "node:path";
import { defaultStateDir } from "../state/state-dir.ts";
import { escapeText } from "./escape.ts";

/**
 * Commands that our output suggests to people: complete, with the flags of the present command for its server and state
 * folder, and quoted for the shell of this system.
 */

/** Flags that name the client's server, and how to reach it. */
const OF_SERVER = ["server", "s", "token-file", "invite-file", "ca", "plaintext"];
/** The commands in advice that talk to a server; the others need only the state folder. */
const TALKING =
  /^commserver-client(?:$| --| (?:list|status|get|put|mkdir|remove|rename|du|digest|watch|send|ping)(?: |$))/;

/** A word as people must type it in their shell. */
export function quoteWord(word: string, platform: NodeJS.Platform = process.platform): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) || (platform === "win32" && /^[A-Za-z0-9_@+=:,./\\-]+$/.test(word)))
    return word;
  return platform === "win32" ? `"${word}"` : `'${word.replaceAll("'", "'\\''")}'`;
}

/** ` --state-dir DIR`, or nothing for the default folder. */
export function stateDirWords(stateDir: string): string {
  return resolve(stateDir) === usualStateDir() ? "" : ` --state-dir ${quoteWord(escapeText(resolve(stateDir)))}`;
}

function usualStateDir(): string | undefined {
  try {
    return resolve(defaultStateDir());
  } catch {
    return undefined; // the user has no home folder
  }
}

/** `command` with those flags of this process that it needs as well. */
export function completeCommand(command: string, argv: readonly string[] = process.argv.slice(2)): string {
  const names = TALKING.test(command) ? [...OF_SERVER, "state-dir", "config"] : ["state-dir", "config"];
  const words = argv.flatMap((word, index) => {
    const [, name = "", value] = /^--?([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (!names.includes(name) || argv.slice(0, index).includes("--")) return [];
    if (name === "plaintext") return ["--plaintext"];
    const given = value ?? argv[index + 1] ?? "";
    // Standard input has been read, and can't be read again.
    return given === "-" ? [] : [`--${name === "s" ? "server" : name}`, quoteWord(escapeText(given))];
  });
  return [command, ...words].join(" ");
}

/** Advice in which the command at the end is complete. */
export function completeAdvice(advice: string, argv?: readonly string[]): string {
  return advice.replace(/commserver-(?:client|server) .*$/, (command) => completeCommand(command, argv));
}
