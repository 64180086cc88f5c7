import { existsSync } from "node:fs";
import type { Programs } from "../support/compile.ts";
import { type Command, PATH } from "../support/family.ts";
import type { Workspace } from "../support/workspace.ts";

/** Names of the moved file and tree in the served folder. */
export const FILE = "file.bin";
export const TREE = "tree";
/** The folder in the served folder that clients send to. */
export const INBOX = "inbox";

export interface PeerOptions {
  readonly workspace: Workspace;
  readonly programs: Programs;
  /** Whether clients also send. */
  readonly writable: boolean;
  /** The number of clients at the same time. */
  readonly clients: number;
}

/** One way to move files from a server to a client and back: ours, or another to compare it with. */
export interface Peer {
  readonly name: string;
  /** Whether this one is ours. */
  readonly ours?: true;
  readonly can: readonly Operation[];
  /** The programs that it needs and that are not on this machine. */
  missing(): readonly string[];
  /** Start its server, if any. @throws Error when it fails to listen */
  open(options: PeerOptions): Promise<OpenPeer>;
}

export type Operation = keyof Operations;

/** Each returns the command of a client, which ends when everything has arrived. */
export interface Operations {
  /** FILE into the target folder. */
  getFile(): Command;
  /** FILE into the inbox. */
  putFile(): Command;
  /** TREE into the target folder, as a folder of that name. */
  getTree(): Command;
  /** TREE into the inbox, as a folder of that name. */
  putTree(): Command;
  /** A file to standard output, which is thrown away. */
  discard(file: string): Command;
  /** The names of everything served, one in a line, to standard output. */
  list(): Command;
  /** Make TREE as served what it is in the target folder. */
  syncTree(): Command;
  /** The SHA-256 of each file in TREE as served, to standard output. */
  digestTree(): Command;
}

export interface OpenPeer extends AsyncDisposable {
  /** The process id of its server, which may have started others; absent when the peer has no server. */
  readonly pid?: number;
  readonly operations: Partial<Operations>;
  /** Called before each run, outside the measured time, after its folders were emptied. */
  refresh?(): Promise<void>;
}

/** Those of `programs` that can't be found; a name with a slash is a path. */
export function missingOf(...programs: string[]): string[] {
  return programs.filter((name) => (name.includes("/") ? !existsSync(name) : Bun.which(name, { PATH }) === null));
}
