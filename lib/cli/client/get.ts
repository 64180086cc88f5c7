import { statSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../client/client.ts";
import { endsSession, toCommError, UsageError } from "../../errors.ts";
import { baseName, checkPath } from "../../path.ts";
import { LocalFileSink } from "../../storage/local-file-sink.ts";
import type { FileSink } from "../../storage/storage.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { formatBytes } from "../format.ts";
import type { Command } from "../program.ts";
import { reportError } from "../report.ts";
import { CONNECTION_FLAGS, withClient } from "./connection.ts";
import { Progress } from "./progress.ts";

export const get: Command = {
  description: "Fetch files into this folder, verified",
  args: {
    path: { type: "positional", valueHint: "…", description: "Files of the repository" },
    output: {
      type: "string",
      alias: "o",
      valueHint: "DEST",
      description: "A file, a folder, or - for standard output",
    },
    overwrite: { type: "boolean", description: "Replace files that exist" },
    ...CONNECTION_FLAGS,
  },
  async run(flags, io) {
    const paths = flags._.map(typedPath);
    const output = flags["output"] === undefined ? undefined : String(flags["output"]);
    const toOne = output !== undefined && output !== "-" && !isFolder(output);
    if (toOne && paths.length > 1)
      throw new UsageError(`--output ${output} is not a folder, but there are several files.`);
    const options = { output, overwrite: flags["overwrite"] === true };
    const json = flags["json"] === true;
    return withClient(flags, io, (client, signal) => fetchAll(client, paths, { ...options, signal, json, io }));
  },
};

/** A path of the repository as people type it, with `./` in front or without. @throws StorageError BAD_PATH */
export function typedPath(typed: string): string {
  return checkPath(typed.replace(/^(\.\/)+/, ""));
}

interface FetchOptions {
  readonly output: string | undefined;
  readonly overwrite: boolean;
  readonly signal: AbortSignal;
  readonly io: ConsoleIo;
}

/** One file's failure does not stop the others, the session's does. @returns the exit code of the first failure */
async function fetchAll(client: Client, paths: string[], options: FetchOptions & { json: boolean }): Promise<number> {
  const { io, json, output } = options;
  const files: Fetched[] = [];
  let exit = 0;
  for (const path of paths) {
    try {
      const fetched = await fetchFile(client, path, options);
      files.push(fetched);
      if (!json && output !== "-") await io.out(`${formatFetched(fetched)}\n`);
    } catch (thrown) {
      if (paths.length === 1 || options.signal.aborted || endsSession(toCommError(thrown))) throw thrown;
      exit ||= reportError(thrown, io, { program: "commserver-client", json });
    }
  }
  if (json && output !== "-") await io.out(`${toJson({ files })}\n`);
  return exit;
}

export interface Fetched {
  readonly path: string;
  readonly target: string;
  readonly size: number;
  readonly sha256: string;
}

/** Fetch one file to where the options say. @throws as Client.get() */
export async function fetchFile(client: Client, path: string, options: FetchOptions): Promise<Fetched> {
  const { output, overwrite, signal, io } = options;
  const target = targetOf(path, output);
  let progress: Progress | undefined;
  try {
    const { size, sha256 } = await client.get(path, {
      sha256: new Bun.CryptoHasher("sha256"),
      signal,
      createSink: async (metadata) => {
        if (output === "-") return stdoutSink(io);
        const sink = await LocalFileSink.create(target, { overwrite });
        progress = new Progress(path, metadata.size, io);
        return sink;
      },
      onProgress: (bytes) => progress?.update(bytes),
    });
    return { path, target, size, sha256 };
  } finally {
    progress?.stop();
  }
}

export function formatFetched({ path, target, size }: Fetched): string {
  const place = target === baseName(path) ? "" : ` as ${escapeText(target)}`;
  return `Fetched ${escapeText(path)}${place} (${formatBytes(size)}, verified)`;
}

function targetOf(path: string, output: string | undefined): string {
  if (output === undefined) return baseName(path);
  return isFolder(output) ? join(output, baseName(path)) : output;
}

function isFolder(name: string): boolean {
  return name.endsWith("/") || (statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false);
}

/** Bytes go out as they come; only the exit code tells whether they were verified. */
function stdoutSink(io: ConsoleIo): FileSink {
  return { write: (bytes) => io.out(bytes), commit: async () => {}, abort: async () => {} };
}
