import { existsSync } from "node:fs";
import { CommError } from "../../errors.ts";
import { escapeGlob } from "../../glob.ts";
import { quote } from "../../quote.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import type { Flags } from "../flags.ts";
import { folderAmong } from "./fetch-stream.ts";
import { fetchAll, fetchRequest, get as getCommand } from "./get-command.ts";
import { placeFrom } from "./local-place.ts";
import { put as putCommand, sendAll, sendRequest } from "./put-command.ts";
import { flagsOf, isThere, namesOn, remoteNames, type ShellCall, type ShellCommand } from "./shell-call.ts";
import { localName } from "./shell-folder.ts";
import { localNames } from "./shell-local.ts";
import { syncAll, sync as syncCommand, syncRequest } from "./sync-command.ts";
import { isRemote, REMOTE_MARK } from "./sync-sides.ts";

/** A last name that can only be a folder. */
const FOLDER_NAME = /^(?:\.\.?|~)$|[/\\]$/;

/**
 * The sources and the destination among the names: as in sftp, the second of two names is the destination; the last of
 * several is one only if it can be nothing but a folder.
 */
export function splitNames(names: readonly string[], isAll: boolean): { sources: readonly string[]; to?: string } {
  const to = names.at(-1);
  const hasTo = names.length === 2 || (names.length > 2 && FOLDER_NAME.test(to ?? ""));
  return isAll || !hasTo || to === undefined ? { sources: names } : { sources: names.slice(0, -1), to };
}

/** `get` or, when all names are sources, `mget`. */
export function getLine(isAll: boolean): ShellCommand["run"] {
  return async (call) => {
    const { connection, folder, words } = call;
    const flags = fromHere(flagsOf(call, getCommand, "Name a file: get PATH"), call);
    const names = await namesOn(call, flags._, (name) =>
      connection.persist((client) => isThere(client, folder.resolve(name))),
    );
    const { sources, to } = splitNames(names, isAll || flags["output"] !== undefined);
    const word = to === undefined ? undefined : words.findLast(({ text }) => text === to);
    const output = word === undefined ? {} : { output: localName(word) };
    const request = await fetchRequest({ ...flags, ...output, _: sources.map((name) => contentsOf(call, name)) });
    return fetchAll(connection, request, call);
  };
}

/** `get .` in a folder fetches what is in it, as at the root. */
function contentsOf({ folder }: ShellCall, typed: string): string {
  const path = folder.resolve(typed);
  return folder.path !== "" && path === folder.path && /^\.\/*$/.test(typed) ? `${escapeGlob(path)}/*` : path;
}

/** `put` or, when all names are sources, `mput`. */
export function putLine(isAll: boolean): ShellCommand["run"] {
  return async (call) => {
    const { connection, folder, here } = call;
    const flags = fromHere(flagsOf(call, putCommand, "Name a file: put PATH"), call);
    const names = await namesOn(call, flags._, (name) => existsSync(placeFrom(here, name)));
    const { sources, to } = splitNames(names, isAll || flags["to"] !== undefined);
    const target = folder.resolve(String(flags["to"] ?? to ?? "."));
    const request = await sendRequest({ ...flags, to: target, _: await localNames(call, sources) });
    return sendAll(connection, request, call);
  };
}

/** The flags with files that are found also after an `lcd`. */
function fromHere(flags: Flags, { here }: Pick<ShellCall, "here">): Flags {
  const files = flags["exclude-from"];
  if (files === undefined) return flags;
  const places = [files].flat().map((file) => (file === "-" ? file : placeFrom(here, String(file))));
  return { ...flags, "exclude-from": places };
}

/** `sync`: a name after a colon is one of the repository, and begins in the shell's folder. */
export async function syncLine(call: ShellCall): Promise<number> {
  const { connection, folder, words } = call;
  const flags = fromHere(flagsOf(call, syncCommand, "Which folders? sync DIR :DIR"), call);
  const sides = flags._.map((name) => {
    if (isRemote(name)) return REMOTE_MARK + folder.resolve(name.slice(REMOTE_MARK.length) || ".");
    return localName(words.find(({ text }) => text === name) ?? { text: name, isQuoted: true });
  });
  return syncAll(connection, await syncRequest({ ...flags, _: sides }), call);
}

/** Show files on the terminal, where text that could do something to it is escaped; elsewhere just as they are. */
export async function showFiles(call: ShellCall, flags: Flags): Promise<number> {
  const { connection, io, signal, places } = call;
  const sources = await remoteNames(call, flags._);
  const request = await fetchRequest({ ...flags, output: "-", _: sources });
  const inside = await folderAmong(connection, request);
  if (inside !== undefined) throw new CommError("NOT_A_FILE", `${quote(inside || ".")} is a folder.`);
  if (!io.outIsTty) return fetchAll(connection, request, { io, signal, places });
  const text = new ShownText(io);
  try {
    return await fetchAll(connection, request, { io: text.io, signal, places });
  } finally {
    await text.end();
  }
}

/** Text of a peer on a terminal. */
class ShownText {
  readonly #decoder = new TextDecoder();
  readonly #io: ConsoleIo;
  #isLineOpen = false;
  /** Bars would end up between the lines. */
  readonly io: ConsoleIo;

  constructor(io: ConsoleIo) {
    this.#io = io;
    const note = (line: string) => void this.end().then(() => io.note(line));
    this.io = { ...io, canRedraw: false, out: (bytes) => this.#show(bytes), note };
  }

  /** What comes next begins on a line of its own. */
  async end(): Promise<void> {
    if (!this.#isLineOpen) return;
    this.#isLineOpen = false;
    await this.#io.out("\n");
  }

  async #show(bytes: string | Uint8Array): Promise<void> {
    const text = typeof bytes === "string" ? bytes : this.#decoder.decode(bytes, { stream: true });
    if (text === "") return;
    this.#isLineOpen = !text.endsWith("\n");
    const parts = text.split(/(\r?\n|\t)/);
    await this.#io.out(parts.map((part, index) => (index % 2 === 1 ? part : escapeText(part))).join(""));
  }
}
