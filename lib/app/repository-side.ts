import type { Digest64 } from "../block.ts";
import type { Client } from "../client/client.ts";
import type { Connection } from "../client/connection.ts";
import { makeFolder } from "../client/make-folder.ts";
import { CommError } from "../errors.ts";
import { escapeGlob, GLOB_LIMITS } from "../glob.ts";
import { parentOf } from "../path.ts";
import type { Entry, ListTrailer } from "../protocol/methods.ts";
import { quote } from "../quote.ts";
import type { Clock } from "../session/clock.ts";
import type { EntryFacts, Listing } from "./events.ts";
import { type FileSide, MAX_FOUND } from "./file-side.ts";

export interface RepositoryTerms {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly digest64: Digest64;
  /** Ends what is under way when the application ends. */
  readonly signal: AbortSignal;
}

/** The server's repository, over a connection that comes back. Paths are repository paths; "" is its root. */
export class RepositorySide implements FileSide {
  readonly #terms: RepositoryTerms;

  constructor(terms: RepositoryTerms) {
    this.#terms = terms;
  }

  async *list(path: string, signal: AbortSignal): AsyncGenerator<EntryFacts[], Listing> {
    const { client } = this.#terms.connection;
    if (path !== "") await requireFolder(client, path);
    const pattern = `${path === "" ? "" : `${escapeGlob(path)}/`}*`;
    // A folder whose pattern would be too long is listed with all below it.
    const asked = pattern.length <= GLOB_LIMITS.length ? pattern : { path };
    let entries = 0;
    const trailer = yield* mapped(client.listBatches(asked, signal), (entry) => {
      const name = nameIn(path, entry.path);
      if (name === "" || name.includes("/")) return undefined;
      entries++;
      return { ...factsOf(entry), name };
    });
    return { path, ...(path !== "" && { parent: parentOf(path) }), entries, leftOut: trailer.skipped };
  }

  /** Everything below a folder whose name contains `text`, whatever its case, until MAX_FOUND are found. */
  async *search(path: string, text: string, signal: AbortSignal): AsyncGenerator<EntryFacts[], Listing> {
    const wanted = text.normalize("NFC").toLowerCase();
    const enough = new AbortController();
    const abort = () => enough.abort();
    signal.addEventListener("abort", abort);
    let entries = 0;
    let isCut = false;
    try {
      const asked = path === "" ? undefined : { path };
      const trailer = yield* mapped(this.#terms.connection.client.listBatches(asked, enough.signal), (entry) => {
        const name = nameIn(path, entry.path);
        if (name === "" || isCut || !isNamed(name, wanted)) return undefined;
        if (entries < MAX_FOUND) {
          entries++;
          return { ...factsOf(entry), name };
        }
        isCut = true;
        enough.abort();
        return undefined;
      });
      return { path, entries, leftOut: trailer.skipped, isCut };
    } catch (thrown) {
      if (signal.aborted || !isCut) throw thrown;
      return { path, entries, leftOut: 0, isCut };
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async makeFolder(path: string): Promise<void> {
    const { connection, clock, digest64, signal } = this.#terms;
    await makeFolder(connection, path, { isParents: false, clock, digest64, signal });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#terms.connection.client.rename(from, to, false);
  }

  remove(path: string): Promise<void> {
    return this.#terms.connection.client.remove(path, true);
  }

  async digest(path: string): Promise<string> {
    return (await this.#terms.connection.client.digest(path)).sha256;
  }

  follow(path: string, onChange: () => void): () => void {
    const end = new AbortController();
    void this.#watch(path, onChange, end.signal);
    return () => end.abort();
  }

  async #watch(path: string, onChange: () => void, signal: AbortSignal): Promise<void> {
    try {
      await this.#terms.connection.persist(async (client) => {
        for await (const _ of client.watch(path === "" ? undefined : { path }, signal)) onChange();
      });
    } catch {
      // A server whose disk reports no changes refuses to watch: the page has a button to look again.
    }
  }
}

async function* mapped<Facts>(
  batches: AsyncGenerator<Entry[], ListTrailer>,
  map: (entry: Entry) => Facts | undefined,
): AsyncGenerator<Facts[], ListTrailer> {
  for (;;) {
    const step = await batches.next();
    if (step.done) return step.value;
    const found = step.value.map(map).filter((each) => each !== undefined);
    if (found.length > 0) yield found;
  }
}

function factsOf({ kind, size, modifiedAt }: Entry): Omit<EntryFacts, "name"> {
  return { kind, size, modifiedAt };
}

/** The path below `folder`; "" for the folder itself, or what is not in it. */
function nameIn(folder: string, path: string): string {
  if (folder === "") return path;
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : "";
}

function isNamed(path: string, wanted: string): boolean {
  return path
    .slice(path.lastIndexOf("/") + 1)
    .normalize("NFC")
    .toLowerCase()
    .includes(wanted);
}

/** @throws CommError NOT_FOUND, NOT_A_FILE */
async function requireFolder(client: Client, path: string): Promise<void> {
  const { kind } = await client.stat(path);
  if (kind !== "folder") throw new CommError("NOT_A_FILE", `${quote(path)} is not a folder.`);
}
