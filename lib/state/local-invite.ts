import fs from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { parseToken } from "../protocol/token.ts";
import { exposureOf } from "./exposure.ts";
import { readPrivate, writePrivate } from "./private-file.ts";
import { defaultStateDir, makeStateDir } from "./state-dir.ts";

/**
 * An invite that a running server leaves for other terminals of the same user on the same machine: a file named by its
 * port, in the user's own state folder, wherever the server keeps its state.
 */
export interface LocalInvite {
  /** Process id of the server. After the server has ended, the file is ignored. */
  readonly pid: number;
  /** Fingerprint; null without encryption. */
  readonly identity: string | null;
  /** `NAME:SECRET` */
  readonly token: string;
}

const Content = v.object({ pid: v.number(), identity: v.nullable(v.string()), token: v.string() });

function fileOf(port: number): string {
  return join(defaultStateDir(), "local", `${port}.json`);
}

/** Write the invite. @returns the function that removes it @throws StorageError */
export function leaveLocalInvite(port: number, invite: LocalInvite): () => void {
  const file = fileOf(port);
  makeStateDir(defaultStateDir());
  makeStateDir(join(defaultStateDir(), "local"));
  writePrivate(file, `${JSON.stringify(invite)}\n`, { mustBeOwn: true });
  return () => {
    // Another server may have the port by now.
    if (findLocalInvite(port)?.pid === invite.pid) fs.rmSync(file, { force: true });
  };
}

/** The invite of the server that runs at `port`; undefined when there is none. */
export function findLocalInvite(port: number): LocalInvite | undefined {
  try {
    const file = fileOf(port);
    // Another user who can write the file may have written it.
    const { canWrite, isAnothers } = exposureOf(file);
    if (canWrite || isAnothers) return undefined;
    const invite = v.parse(Content, JSON.parse(readPrivate(file) ?? ""));
    parseToken(invite.token);
    process.kill(invite.pid, 0);
    return invite;
  } catch {
    return undefined; // no invite, or that of a server that was killed
  }
}
