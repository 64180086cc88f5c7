import { createHash } from "node:crypto";
import fs from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { formatInvite, type Invite, parseInvite } from "../protocol/invite.ts";
import type { OneTimeCode } from "../protocol/one-time-code.ts";
import { readPrivate, writePrivate } from "../state/private-file.ts";
import { makeStateDir } from "../state/state-dir.ts";

/** Longer than any share lives. */
const MAX_AGE_MS = 48 * 3_600_000;

const Content = v.object({ invite: v.string() });

/**
 * What codes of shares have led to, until all of their files are here: a code works once, and a fetch that was
 * interrupted goes on with the same command.
 */
export class Fetches {
  readonly #folder: string;

  constructor(stateDir: string) {
    this.#folder = join(stateDir, "fetches");
  }

  /** @throws StorageError DISK_DENIED, DISK_FAILED */
  find(code: OneTimeCode): Invite | undefined {
    const text = readPrivate(this.#fileOf(code));
    try {
      return text === undefined ? undefined : parseInvite(v.parse(Content, JSON.parse(text)).invite);
    } catch {
      return undefined; // damaged: as if it were not there
    }
  }

  /** Make sure that save() can. @throws StorageError DISK_DENIED, DISK_FULL, DISK_FAILED */
  prepare(stateDir: string): void {
    makeStateDir(stateDir);
    makeStateDir(this.#folder);
    for (const name of fs.readdirSync(this.#folder)) {
      const file = join(this.#folder, name);
      const { mtimeMs } = fs.statSync(file);
      if (name.endsWith(".json") && Date.now() - mtimeMs > MAX_AGE_MS) fs.rmSync(file, { force: true });
    }
  }

  /** @throws StorageError DISK_DENIED, DISK_FULL, DISK_FAILED */
  save(code: OneTimeCode, invite: Invite): void {
    writePrivate(this.#fileOf(code), `${JSON.stringify({ invite: formatInvite(invite) })}\n`);
  }

  forget(code: OneTimeCode): void {
    fs.rmSync(this.#fileOf(code), { force: true });
  }

  #fileOf({ plate, secret }: OneTimeCode): string {
    const digest = createHash("sha256").update(`${plate}${secret}`).digest("hex");
    return join(this.#folder, `${digest.slice(0, 32)}.json`);
  }
}
