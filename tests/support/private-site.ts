import { describe } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BLOCK_BYTES } from "../../lib/block.ts";
import { makeStateDir } from "../../lib/state/state-dir.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { PrivatePlaces } from "../../lib/storage/local/private/private-places.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { walk, writeTree } from "./repository.ts";
import { factsOf, store } from "./storing.ts";
import { TempFolder } from "./temp-folder.ts";
import { noise } from "./transport-recorder.ts";

/** The files of a server, and of a client of the same user, in their state folder. */
const STATE = {
  "identity.pem": "KEY",
  "tokens.json": "TOKENS",
  "ledger.sqlite": "LEDGER",
  history: "HISTORY",
  "servers/lab.json": "SERVER",
  "local/5050.json": "LOCAL",
  "kept/by/the/user.txt": "OTHER",
};

/** Where the state folder is in a home. */
export const STATE_PATH = ".local/state/commserver";

/** Create a state folder like that of the programs. */
export function makeState(folder: string): void {
  for (const name of ["", "servers", "local"]) makeStateDir(join(folder, name));
  writeTree(folder, STATE);
}

/** Everything below a folder, with the contents. */
export function contentOf(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), "latin1")]),
  );
}

/** A home with a state folder in it, which is served. */
export class PrivateSite implements Disposable {
  readonly folder = new TempFolder();
  readonly home = this.folder.join("home");
  readonly state = join(this.home, STATE_PATH);

  constructor() {
    writeTree(this.home, { "docs/a.txt": "public", ".local/share/b.txt": "public" });
    makeState(this.state);
  }

  join(...names: string[]): string {
    return join(this.home, ...names);
  }

  /**
   * The storage of a server that serves `root`; its own state folder is that in the home, and `files` are its own, too.
   */
  open(root = this.home, files: string[] = []): Promise<LocalStorage> {
    return LocalStorage.at(root, { places: new PrivatePlaces(() => ({ folders: [this.state], files })) });
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

const LARGE = noise(BLOCK_BYTES + 1);

/** Try every request at `path`, and in a folder there. @returns the answer to each: a code, or "done" */
export async function tryAll(storage: Storage, path: string): Promise<Record<string, string>> {
  const spare = `spare-${crypto.randomUUID().slice(0, 8)}`;
  await store(storage, spare, noise(3));
  const tries: Record<string, () => unknown> = {
    stat: () => storage.stat(path),
    list: () => walk(storage, path),
    open: async () => (await storage.open(path)).close(),
    load: () => storage.load(path, BLOCK_BYTES),
    place: () => storage.place(path, factsOf(noise(3)), "overwrite"),
    receive: async () => (await storage.receive(path, factsOf(LARGE), "overwrite")).discard(),
    store: () => store(storage, path, noise(3), { exists: "overwrite" }),
    "rename to": () => storage.rename(spare, path, { overwrite: true }),
    "make below": () => storage.makeFolder(`${path}/new`),
    "store below": () => store(storage, `${path}/new.txt`, noise(3), { exists: "overwrite" }),
    "rename from": () => storage.rename(path, `moved-${spare}`, { overwrite: true }),
    remove: () => storage.remove(path, { recursive: false }),
    "remove all": () => storage.remove(path, { recursive: true }),
  };
  const told: Record<string, string> = {};
  for (const [what, work] of Object.entries(tries)) {
    told[what] = await Promise.resolve()
      .then(work)
      .then(
        () => "done",
        (thrown) => thrown.code ?? String(thrown),
      );
  }
  await storage.remove(spare, { recursive: false }).catch(() => {});
  return told;
}

/** The same answer to every request. */
export function allOf(code: string, told: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.keys(told).map((what) => [what, code]));
}

/** Show `what` at `at`, too, by a mount that ends with the test. */
export class BindMount implements Disposable {
  readonly #at: string;

  constructor(what: string, at: string) {
    this.#at = at;
    const { success, stderr } = Bun.spawnSync(["mount", "--bind", what, at]);
    if (!success) throw new Error(`no bind mount: ${stderr}`);
  }

  [Symbol.dispose](): void {
    // Lazily: a folder that is kept open for a moment would hold it.
    Bun.spawnSync(["umount", "-l", this.#at]);
  }
}

/** `describe` for tests that need bind mounts: skipped where there can be none, except in CI. */
export const describeMounts = describe.skipIf(skipFor(whyNoMounts()));

function skipFor(reason: string | undefined): boolean {
  if (reason === undefined || process.env["CI"]) return false;
  console.warn(`tests with bind mounts are skipped: ${reason}.`);
  return true;
}

function whyNoMounts(): string | undefined {
  if (process.platform !== "linux") return "only Linux has them";
  if (process.getuid?.() !== 0) return "only root may mount";
  using folder = new TempFolder();
  for (const name of ["one", "other"]) mkdirSync(folder.join(name));
  try {
    using _ = new BindMount(folder.join("one"), folder.join("other"));
    return undefined;
  } catch {
    return "this machine lets nobody mount";
  }
}
