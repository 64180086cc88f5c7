import fs from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { CommError, StorageError, toCommError } from "../../errors.ts";
import { parseToken } from "../../protocol/token.ts";
import { quote } from "../../quote.ts";
import { tokenWarning } from "../../state/exposed-state.ts";
import { requireKnownForm } from "../../state/newer-state.ts";
import { readPrivate, writePrivate } from "../../state/private-file.ts";
import { makeStateDir } from "../../state/state-dir.ts";

/** The number of the form of a file. */
const FORM = 1;

const Entry = v.object({
  version: v.literal(FORM),
  /** The name that it was joined by, or its address. */
  name: v.string(),
  addresses: v.array(v.string()),
  /** Fingerprint, "authority", or null for a server without encryption. */
  identity: v.nullable(v.string()),
  /** `NAME:SECRET` */
  token: v.optional(v.string()),
});

/** A server that this client knows. */
export type KnownServer = Omit<v.InferOutput<typeof Entry>, "version">;

/** The servers that a client has joined, or has trusted at first use: a file each, which only the user can read. */
export class ServerBook {
  readonly #stateDir: string;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
  }

  /** @throws StorageError NEWER_STATE, DISK_FAILED when its file is damaged, DISK_DENIED */
  find(name: string): KnownServer | undefined {
    const file = this.#fileOf(name);
    const text = readPrivate(file);
    if (text === undefined) return undefined;
    try {
      const content: unknown = JSON.parse(text);
      requireKnownForm(content, FORM, file);
      const { version: _, ...server } = v.parse(Entry, content);
      if (server.token !== undefined) parseToken(server.token);
      return server;
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      throw new StorageError("DISK_FAILED", `What is known of the server ${quote(name)} is damaged: remove ${file}.`, {
        cause,
      });
    }
  }

  /** What to be told of the file in which the token of this server is; undefined when there is nothing to tell. */
  warningOf({ name, token }: KnownServer): string | undefined {
    return token === undefined ? undefined : tokenWarning(this.#fileOf(name));
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

  /** By name. What can't be read is left out, and told to `onFault`. */
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

  get #folder(): string {
    return join(this.#stateDir, "servers");
  }

  #fileOf(name: string): string {
    // Neither a separator nor a letter that a file system folds or forbids is left.
    const file = name.replace(/[^a-z0-9_-]/gu, (character) =>
      Buffer.from(character).toString("hex").replace(/../g, "%$&"),
    );
    return join(this.#folder, `${file}.json`);
  }
}
