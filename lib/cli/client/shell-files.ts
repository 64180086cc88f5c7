import { CommError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import { escapeText } from "../escape.ts";
import type { Flags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import { type DigestRequest, digest as digestCommand, digestRequest, showDigests } from "./digest-command.ts";
import { depthFlag, du as duCommand, showUsage } from "./du-command.ts";
import { readFilter } from "./filter-flags.ts";
import { list as listCommand, printEntries } from "./list-command.ts";
import { readShape } from "./list-shape.ts";
import { makeFolders, mkdir as mkdirCommand } from "./mkdir-command.ts";
import { removable, removeAll, remove as removeCommand, removeFlags } from "./remove-command.ts";
import { renameAll, rename as renameCommand, renamesOf } from "./rename-command.ts";
import { flagsOf, remoteNames, type ShellCall, type ShellCommand } from "./shell-call.ts";
import { entriesIn, listingOf, showEntries } from "./shell-listing.ts";
import { FOLDER_ARGS, LS_ARGS } from "./shell-local.ts";
import { TRANSFER_COMMANDS } from "./shell-transfer-commands.ts";
import { showFiles } from "./shell-transfers.ts";
import { typedNewPath, typedPath, typedSource } from "./typed-paths.ts";
import { printChanges, watch as watchCommand } from "./watch-command.ts";

const NAMES = { path: { type: "positional", valueHint: "…", description: "Files of the repository" } } as const;

const DU_ARGS = { ...duCommand.args, human: LS_ARGS.human };

const ls: ShellCommand = {
  usage: "ls, dir [-l] [PATH…]",
  description: "What is in the folder, or in another",
  follows: "words",
  args: LS_ARGS,
  names: "repository",
  async run(call) {
    const flags = flagsOf(call, { args: LS_ARGS });
    const names = await namesOrHere(call, flags._);
    for (const name of names) {
      const entries = await entriesIn(call.client, name, call.signal);
      await showEntries(entries, call.io, { ...listingOf(flags), heading: names.length > 1 ? name : "" });
    }
    return 0;
  },
};

const remove: ShellCommand = {
  usage: "rm, remove [-r] PATH…",
  description: "Remove files; with -r also folders and all in them",
  follows: "words",
  args: removeCommand.args,
  names: "repository",
  async run(call) {
    const flags = flagsOf(call, removeCommand, "Name a file: remove PATH");
    const { client, io, signal, ask } = call;
    const sources = (await remoteNames(call, flags._)).map(removable);
    return removeAll(client, sources, { ...removeFlags(flags), io, json: false, signal, ...(ask && { ask }) });
  },
};

const rename: ShellCommand = {
  usage: "mv, rename FROM… TO",
  description: "Rename or move; a TO that ends with /, or for several, is a folder",
  follows: "words",
  args: renameCommand.args,
  names: "repository",
  async run(call) {
    const flags = flagsOf(call, renameCommand, 'Name two paths: rename "FROM" "TO"');
    const { client, folder, io } = call;
    const [from, typedTo = ""] = [flags._.slice(0, -1).map((name) => folder.resolve(name)), flags._.at(-1)];
    const to = folder.resolve(typedTo);
    // "docs/..", too, can only be a folder.
    const isFolder = typedTo !== "" && /(?:^|\/)\.{0,2}$/.test(typedTo);
    const renames = renamesOf(from, isFolder ? `${to}/` : to);
    return renameAll(client, renames, { overwrite: flags["overwrite"] === true, io, json: false });
  },
};

/** The commands that look at the files of the repository, move them, or change them. */
export const FILE_COMMANDS: Readonly<Record<string, ShellCommand>> = {
  ls,
  dir: ls,
  list: {
    usage: "list [GLOB]",
    description: "All files: here and below, or by a pattern: **/*.txt",
    follows: "words",
    args: listCommand.args,
    names: "repository",
    async run(call) {
      const flags = flagsOf(call, { args: { ...listCommand.args, glob: LS_ARGS.path } });
      const name = onlyOne(await remoteNames(call, flags._), "list") ?? (call.folder.path || undefined);
      const filter = await readFilter(flags, Date.now());
      const shape = readShape(flags);
      await printEntries(call.client, { source: name, filter, shape, signal: call.signal }, call.io);
      return 0;
    },
  },
  cd: {
    usage: "cd [PATH], pwd",
    description: "Change the folder of the server, or show it",
    follows: "words",
    args: FOLDER_ARGS,
    names: "repository",
    async run(call) {
      const flags = flagsOf(call, { args: FOLDER_ARGS });
      const { folder, client } = call;
      const target = onlyOne(await remoteNames(call, flags._), "cd") ?? ".";
      // Above the root there is the root, as everywhere.
      const path = /^(?:\.\.\/*)+$/.test(target) ? "" : typedSource(target);
      if (path !== "" && (await client.stat(typedPath(path))).kind !== "folder") {
        throw new CommError("NOT_A_FILE", `${quote(path)} is not a folder.`);
      }
      folder.path = path;
      return 0;
    },
  },
  pwd: {
    usage: "cd [PATH], pwd",
    description: "Change the folder of the server, or show it",
    isLocal: true,
    follows: "nothing",
    async run({ folder, io }) {
      await io.out(`${escapeText(folder.shown)}\n`);
      return 0;
    },
  },
  ...TRANSFER_COMMANDS,
  cat: {
    usage: "cat PATH…",
    description: "Show files here",
    follows: "words",
    args: NAMES,
    names: "repository",
    run: (call) => showFiles(call, flagsOf(call, { args: NAMES }, "Name a file: cat PATH")),
  },
  mkdir: {
    usage: "mkdir [-p] PATH…",
    description: "Make folders",
    follows: "words",
    args: mkdirCommand.args,
    names: "repository",
    run(call) {
      const { connection, folder, io, signal } = call;
      const flags = flagsOf(call, mkdirCommand, "Name a folder: mkdir PATH");
      const paths = flags._.map((name) => typedNewPath(folder.resolve(name)));
      return makeFolders(connection, paths, { isParents: flags["parents"] === true, io, json: false, signal });
    },
  },
  rm: remove,
  remove,
  mv: rename,
  rename,
  du: {
    usage: "du [PATH…]",
    description: "How much is in the folder, or in others",
    follows: "words",
    args: DU_ARGS,
    names: "repository",
    async run(call) {
      const flags = flagsOf(call, { args: DU_ARGS });
      const names = await namesOrHere(call, flags._);
      const { client, io, signal } = call;
      await showUsage(client, names.map(typedSource), { io, json: false, depth: depthFlag(flags), signal });
      return 0;
    },
  },
  digest: {
    usage: "digest PATH…",
    description: "The SHA-256 of files, as sha256sum shows it; --check LIST",
    follows: "words",
    args: digestCommand.args,
    names: "repository",
    async run(call) {
      const flags = flagsOf(call, digestCommand, "Name a file: digest PATH");
      const { connection, io, signal } = call;
      const request = await shellDigestRequest(call, flags);
      return showDigests(connection, request, { io, json: false, signal });
    },
  },
  watch: {
    usage: "watch [GLOB]",
    description: "Show changes until Ctrl-C",
    follows: "words",
    args: watchCommand.args,
    names: "repository",
    async run(call) {
      const flags = flagsOf(call, { args: { ...watchCommand.args, glob: LS_ARGS.path } });
      const source = onlyOne(await remoteNames(call, flags._), "watch") ?? (call.folder.path || undefined);
      await printChanges(call.client, { source, json: false, signal: call.signal, io: call.io });
      return 0;
    },
  },
};

/** Names of a list begin in the folder that the shell is in. @throws as digestRequest() */
async function shellDigestRequest(call: ShellCall, flags: Flags): Promise<DigestRequest> {
  const { folder } = call;
  if (flags["check"] === "-") throw new UsageError("The shell itself reads standard input: name a file.");
  const isIn = flags["check"] !== undefined || flags["in"] !== undefined;
  if (isIn) return digestRequest({ ...flags, in: folder.resolve(String(flags["in"] ?? ".")) });
  return digestRequest({ ...flags, _: await remoteNames(call, flags._) });
}

/** As remoteNames(); without any, the folder that the shell is in. */
async function namesOrHere(call: ShellCall, names: readonly string[]): Promise<string[]> {
  return names.length === 0 ? [call.folder.path || "."] : remoteNames(call, names);
}

/** @throws UsageError when there are several */
function onlyOne(names: readonly string[], command: string): string | undefined {
  if (names.length > 1) throw new UsageError(`${command} takes one name; put a name with blanks in quotes.`);
  return names[0];
}
