import fs from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { CommError, toCommError } from "../errors.ts";
import { parseToken } from "../protocol/token.ts";
import { quote } from "../quote.ts";
import { exposureOf } from "../state/exposure.ts";
import { readPrivate, writePrivate } from "../state/private-file.ts";
import { makeStateDir } from "../state/state-dir.ts";
import { parseVersioned } from "../state/versioned-json.ts";

/** The version of the file format. */
const FORM = 1;

const Entry = v.object({
  version: v.literal(FORM),
  /** The name that the server was joined by, or its address. */
  name: v.string(),
  addresses: v.array(v.string()),
  /** Fingerprint, "authority", or null for a server without encryption. */
  identity: v.nullable(v.string()),
  /** `NAME:SECRET` */
  token: v.optional(v.string()),
});

/** A server that this client knows. */
export type KnownServer = Omit<v.InferOutput<typeof Entry>, "version">;

/** A file with a token in it that others on this machine can read. */
export interface ExposedFile {
  readonly file: string;
  /** The mode in octal: `0644`. */
  readonly mode: string;
}

/** A name must not be readable as an address. */
const NAME = /^(?!localhost$)[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** True for a name that a server can be joined by. */
export function isServerName(name: string): boolean {
  return NAME.test(name);
}

/** The servers that a client has joined, or trusted at first use: one file each, which only its user can read. */
export class KnownServers {
  readonly #stateDir: string;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
  }

  /** @throws StorageError NEWER_STATE, DISK_FAILED when the server's file is damaged, DISK_DENIED */
  find(name: string): KnownServer | undefined {
    const file = this.#fileOf(name);
    const text = readPrivate(file);
    if (text === undefined) return undefined;
    return parseVersioned(text, file, {
      form: FORM,
      read: serverOf,
      damaged: `The record of the server ${quote(name)} is damaged: remove ${file}.`,
    });
  }

  /**
   * Save `server` under its name. The same server may change its token and addresses; another server under a known name
   * must `replace` it.
   *
   * @throws CommError SERVER_KNOWN; as find() and save()
   */
  join(server: KnownServer, { replace }: { replace: boolean }): void {
    const known = this.find(server.name);
    if (known !== undefined && known.identity !== server.identity && !replace) {
      throw new CommError("SERVER_KNOWN", `Another server is known as ${quote(server.name)}.`);
    }
    this.save(server);
  }

  /** @throws StorageError DISK_DENIED, DISK_FULL, DISK_FAILED */
  save(server: KnownServer): void {
    makeStateDir(this.#stateDir);
    makeStateDir(this.#folder);
    writePrivate(this.#fileOf(server.name), `${JSON.stringify({ version: FORM, ...server }, null, 2)}\n`);
  }

  /** @throws CommError NO_SUCH_SERVER */
  forget(name: string): void {
    const file = this.#fileOf(name);
    if (!fs.existsSync(file)) throw new CommError("NO_SUCH_SERVER", `No server ${quote(name)} is known here.`);
    fs.rmSync(file);
  }

  /** All servers, sorted by name. An entry that can't be read is left out, and reported to `onFault`. */
  list(onFault: (fault: CommError) => void = () => {}): KnownServer[] {
    if (!fs.existsSync(this.#folder)) return [];
    const names = fs.readdirSync(this.#folder).filter((file) => file.endsWith(".json"));
    return names.sort().flatMap((file) => {
      try {
        return this.find(decodeURIComponent(file.slice(0, -".json".length))) ?? [];
      } catch (thrown) {
        onFault(toCommError(thrown));
        return [];
      }
    });
  }

  /** The file with the token of `server` when others can read it; undefined when they can't, or there is no token. */
  exposedToken({ name, token }: KnownServer): ExposedFile | undefined {
    const file = this.#fileOf(name);
    const { canRead, mode } = exposureOf(file);
    return token !== undefined && canRead ? { file, mode } : undefined;
  }

  get #folder(): string {
    return join(this.#stateDir, "servers");
  }

  #fileOf(name: string): string {
    // Escape separators, and characters that a file system folds or forbids.
    const file = name.replace(/[^a-z0-9_-]/gu, (character) =>
      Buffer.from(character).toString("hex").replace(/../g, "%$&"),
    );
    return join(this.#folder, `${file}.json`);
  }
}

/** @throws for anything but the record of a server */
function serverOf(content: unknown): KnownServer {
  const { version: _, ...server } = v.parse(Entry, content);
  if (server.token !== undefined) parseToken(server.token);
  return server;
}
