import { watch } from "node:fs";
import { basename, dirname, isAbsolute, parse, resolve } from "node:path";
import type { EntryFacts, Listing } from "../../app/events.ts";
import type { FileSide } from "../../app/file-side.ts";
import { CommError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import { LocalStorage } from "../../storage/local/local.ts";
import { fromLocalName } from "../../storage/local/names/local-names.ts";
import type { PrivatePlaces } from "../../storage/local/private/private-places.ts";
import { digestFile } from "../../transfer/digest-file.ts";
import { newSha256 } from "../client/run-job.ts";

/**
 * The disk of this machine, as its user browses it. Paths are absolute paths of the system; "" is the folder that the
 * program began in.
 */
export class DiskSide implements FileSide {
  readonly #places: PrivatePlaces;
  readonly #start: string;

  constructor(places: PrivatePlaces, start: string) {
    this.#places = places;
    this.#start = start;
  }

  async *list(path: string, signal: AbortSignal): AsyncGenerator<EntryFacts[], Listing> {
    const folder = this.#place(path);
    const storage = await this.#open(folder);
    const skipped = { count: 0 };
    let entries = 0;
    for await (const batch of storage.list("", { enter: () => false, skipped })) {
      if (signal.aborted) throw new CommError("INTERRUPTED", "Interrupted.");
      entries += batch.length;
      yield batch.map(({ path: name, kind, size, modifiedAt }) => ({ name, kind, size, modifiedAt }));
    }
    const parent = dirname(folder);
    return { path: folder, ...(parent !== folder && { parent }), entries, leftOut: skipped.count };
  }

  async makeFolder(path: string): Promise<void> {
    const { storage, name } = await this.#entry(path);
    if (!(await storage.makeFolder(name))) throw new CommError("EXISTS", `${quote(basename(path))} exists already.`);
  }

  async rename(from: string, to: string): Promise<void> {
    const root = parse(this.#place(from)).root;
    const storage = await this.#open(root);
    await storage.rename(this.#below(root, from), this.#below(root, to), { overwrite: false });
  }

  async remove(path: string): Promise<void> {
    const { storage, name } = await this.#entry(path);
    await storage.remove(name, { recursive: true });
  }

  async digest(path: string, signal: AbortSignal): Promise<string> {
    const { storage, name } = await this.#entry(path);
    const file = await storage.open(name);
    try {
      return await digestFile(file, newSha256(), () => {
        if (signal.aborted) throw new CommError("INTERRUPTED", "Interrupted.");
      });
    } finally {
      await file.close();
    }
  }

  follow(path: string, onChange: () => void): () => void {
    try {
      const watcher = watch(this.#place(path), { persistent: false }, onChange);
      watcher.on("error", () => watcher.close());
      return () => watcher.close();
    } catch {
      // A disk that reports no changes: the page has a button to look again.
      return () => {};
    }
  }

  /** The folder that a path is in, and its name there. @throws CommError */
  async #entry(path: string): Promise<{ storage: LocalStorage; name: string }> {
    const place = this.#place(path);
    return { storage: await this.#open(dirname(place)), name: fromLocalName(basename(place)) };
  }

  #below(root: string, path: string): string {
    return this.#place(path)
      .slice(root.length)
      .split(/[\\/]/)
      .map((name) => fromLocalName(name))
      .join("/");
  }

  /** @throws CommError BAD_PATH */
  #place(path: string): string {
    if (path === "") return this.#start;
    if (isAbsolute(path) && !path.includes("\0")) return resolve(path);
    throw new CommError("BAD_PATH", `${quote(path)} is not a place on this machine.`);
  }

  #open(folder: string): Promise<LocalStorage> {
    return LocalStorage.ofUser(folder, { places: this.#places });
  }
}
