import fs from "node:fs";
import * as v from "valibot";
import { CommError, TransportError, toCommError } from "../errors.ts";
import { quote } from "../quote.ts";
import { readPrivate, writePrivate } from "../state/private-file.ts";
import { defaultServerFile, makeStateDir } from "../state/state-dir.ts";
import { parseVersioned } from "../state/versioned-json.ts";
import { DEFAULT_PORT } from "../transport/address.ts";
import { isServerName, type KnownServer, KnownServers } from "./known-servers.ts";
import { DEFAULT_SERVER } from "./target.ts";

/** The version of the file format. */
const FORM = 1;

/** The default server by its other addresses, where it was trusted. */
const OF_DEFAULT = [DEFAULT_SERVER, `127.0.0.1:${DEFAULT_PORT}`, `[::1]:${DEFAULT_PORT}`];

const Content = v.object({ version: v.literal(FORM), server: v.string() });

/** The server that this user has chosen for commands that name none. */
export class DefaultServer {
  readonly #stateDir: string;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
  }

  /**
   * The name of a known server, or an address.
   *
   * @throws CommError NO_SUCH_SERVER when the server was forgotten; StorageError NEWER_STATE, DISK_FAILED when the file
   * is damaged, DISK_DENIED
   */
  read(): string | undefined {
    const server = this.chosen();
    if (server === undefined || !isServerName(server)) return server;
    // Its name must not be looked up as that of a machine.
    if (new KnownServers(this.#stateDir).find(server) !== undefined) return server;
    throw new CommError("NO_SUCH_SERVER", `The default server ${quote(server)} is not known here any more.`);
  }

  /** As read(), whether or not the server is still known. */
  chosen(): string | undefined {
    const file = this.#file;
    const text = readPrivate(file);
    if (text === undefined) return undefined;
    return parseVersioned(text, file, {
      form: FORM,
      read: (content) => v.parse(Content, content).server,
      damaged: `The record of the default server is damaged: remove ${file}.`,
    });
  }

  /** @throws StorageError DISK_DENIED, DISK_FULL, DISK_FAILED */
  choose(server: string): void {
    makeStateDir(this.#stateDir);
    writePrivate(this.#file, `${JSON.stringify({ version: FORM, server }, null, 2)}\n`);
  }

  clear(): void {
    fs.rmSync(this.#file, { force: true });
  }

  get #file(): string {
    return defaultServerFile(this.#stateDir);
  }
}

/** No server was named, none runs on this machine, and none is known, or several are. */
export class NoDefaultServer extends TransportError {
  readonly knowsAny: boolean;

  constructor(known: readonly KnownServer[], options?: ErrorOptions) {
    const words = known.length === 0 ? "and none is known here." : knownWords(known);
    super("CANNOT_CONNECT", `No server runs at ${DEFAULT_SERVER}${known.length === 0 ? "," : "."} ${words}`, options);
    this.knowsAny = known.length > 0;
  }
}

/** The most servers that an error names. */
const MAX_NAMES = 10;

/** `Known here: lab, office.`; "" when none is known. */
export function knownWords(known: readonly KnownServer[]): string {
  if (known.length === 0) return "";
  const more = known.length > MAX_NAMES ? `, and ${known.length - MAX_NAMES} more` : "";
  const names = known.slice(0, MAX_NAMES).map(({ name }) => name);
  return `Known here: ${names.join(", ")}${more}.`;
}

/**
 * The server for a command that names none, when no server runs on this machine: the only one that is known.
 *
 * @throws NoDefaultServer when none is known, or several are
 */
export function onlyKnownServer(stateDir: string, cause: unknown): string {
  const known = new KnownServers(stateDir).list().filter(({ name }) => !OF_DEFAULT.includes(name));
  const [only, ...others] = known;
  if (only === undefined || others.length > 0) throw new NoDefaultServer(known, { cause });
  return only.name;
}

/** The failure to connect to `server`. If it may be a misspelt name, the message says which servers are known. */
export function withKnown(thrown: unknown, server: string, stateDir: string): unknown {
  const error = toCommError(thrown);
  if (error.code !== "CANNOT_CONNECT" || !isServerName(server)) return thrown;
  const known = new KnownServers(stateDir);
  if (known.find(server) !== undefined) return thrown;
  const words = knownWords(known.list());
  return words === "" ? thrown : new TransportError(error.code, `${error.message} ${words}`, { cause: thrown });
}
