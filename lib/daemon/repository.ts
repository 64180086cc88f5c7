import { systemClock } from "../session/clock.ts";
import { privatePlaces } from "../state/private.ts";
import { BoundedStorage } from "../storage/bounded.ts";
import { CountedBudget } from "../storage/counted-budget.ts";
import { FewFilesStorage, FileBudget } from "../storage/few-files.ts";
import { LocalStorage } from "../storage/local/local.ts";
import { lockFault } from "../storage/local/locks/lock-probe.ts";
import { writeFault } from "../storage/local/write-probe.ts";
import type { Storage } from "../storage/storage.ts";
import type { RepositorySettings } from "./settings.ts";
import type { DaemonWarning } from "./warnings.ts";

/** The served folder: opens it, and wraps it in its limits. */
export class Repository {
  readonly #settings: RepositorySettings;
  readonly #local: LocalStorage;
  #trial: { readonly fault: string | undefined } | undefined;

  private constructor(settings: RepositorySettings, local: LocalStorage) {
    this.#settings = settings;
    this.#local = local;
  }

  /**
   * Why the folder can't be written, although clients may write. Tested when first needed: a start that fails because
   * another server has the state folder must write nothing.
   */
  get #writeFault(): string | undefined {
    this.#trial ??= { fault: this.#settings.isWritable ? writeFault(this.location) : undefined };
    return this.#trial.fault;
  }

  /** `onNotice` gets later faults of the folder, in words for the operator. @throws as LocalStorage.at() */
  static async open(settings: RepositorySettings, onNotice: (message: string) => void): Promise<Repository> {
    const { certFile, keyFile } = settings.certificate ?? {};
    const files = [certFile, keyFile, ...(settings.ownFiles ?? [])].filter((file) => file !== undefined);
    const places = privatePlaces(settings.stateDir, files);
    const local = await LocalStorage.at(settings.repository, { places, onNotice });
    local.tellLosses(onNotice);
    return new Repository(settings, local);
  }

  /** Full path. */
  get location(): string {
    return this.#local.location;
  }

  get canWrite(): boolean {
    return this.#writeFault === undefined;
  }

  /** The storage for the server, with at most `maxFiles` open files (undefined: no limit), and its folders. */
  storage(maxFiles: number | undefined): { storage: Storage; within(folder: string): Storage } {
    const { budget, isWritable } = this.#settings;
    const files = maxFiles === undefined ? undefined : new FileBudget(maxFiles);
    const fewFiles = (local: LocalStorage) => (files === undefined ? local : new FewFilesStorage(local, files));
    const isBounded = isWritable && (budget.quotaBytes !== undefined || budget.keepFreeBytes !== 0);
    const all = fewFiles(this.#local);
    const room = isBounded ? new CountedBudget(all, budget, () => systemClock.now()) : undefined;
    const bounded = (storage: Storage) => (room === undefined ? storage : new BoundedStorage(storage, room));
    return { storage: bounded(all), within: (folder) => bounded(fewFiles(this.#local.within(folder))) };
  }

  privateWarnings(): DaemonWarning[] {
    return this.#local.privateBelow.map((place) => ({ kind: "private place", place }));
  }

  writeWarnings(): DaemonWarning[] {
    if (!this.#settings.isWritable) return [];
    const locks = lockFault(this.location);
    return [
      ...(this.#writeFault === undefined ? [] : [{ kind: "unwritable repository", fault: this.#writeFault } as const]),
      ...(locks === undefined ? [] : [{ kind: "no file locks", fault: locks } as const]),
    ];
  }
}
