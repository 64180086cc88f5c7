import type { Digest64 } from "../../block.ts";
import { CommError, endsSession, RemoteError, StorageError } from "../../errors.ts";
import { isGlob } from "../../glob.ts";
import { joinPath } from "../../path.ts";
import type { Entry, ListTrailer } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import type { LeftOut, Storage } from "../../storage/storage.ts";
import type { Client } from "../client.ts";
import { tellLeftOut } from "../fetch-plan.ts";
import { badName, gone, keptBack, type LeftOutThing } from "../left-out.ts";
import { MAX_LISTED } from "../path-set.ts";
import type { PlanEvents } from "../plan.ts";
import type { Removal } from "./doomed.ts";
import { joinFolders, type Pair } from "./folder-join.ts";
import type { LeftStaged } from "./staged-files.ts";
import type { Question, SyncItem } from "./sync-item.ts";
import { SyncPlan, type SyncPlanOptions } from "./sync-plan.ts";

/** Files that are compared at once. */
const MAX_QUESTIONS = 1_024;

export interface SyncPlanTerms<Item extends SyncItem>
  extends Omit<SyncPlanOptions<Item>, "onFailed" | "onLeftOut" | "onRemoval">,
    Pick<PlanEvents<Item>, "onFailed" | "onLeftOut"> {
  /** The folder of this machine. */
  readonly here: Pick<Storage, "list" | "stat">;
  /** Private paths that its lists have left out since the last call. */
  takeHidden?: (() => string[]) | undefined;
  /** The folder of the repository; "" is its root. */
  readonly root: string;
  /** The most removals that are remembered; more are only counted. */
  readonly maxRemovals: number;
  readonly signal: AbortSignal;
  readonly digest64: Digest64;
  /** The questions whose files differ. */
  differing(questions: readonly Question<Item>[]): Promise<readonly Question<Item>[]>;
}

/** What a plan has found, when it is complete. */
export interface SyncFindings<Item extends SyncItem>
  extends Pick<SyncPlan<Item>, "files" | "filesBarred" | "newer" | "isPutOff" | "afterwards"> {
  readonly removals: readonly Removal[];
  /** Also those above `maxRemovals`. */
  readonly removalCount: number;
  /** What interrupted runs have left of files that the source has. */
  readonly leftStaged: readonly LeftStaged[];
  /** Something of the source has disappeared while it was listed: what is missing may come back. */
  readonly isCut: boolean;
}

/**
 * Plans a mirror over one list of the server. The generator returns what it has found, only after both sides were
 * listed to their ends.
 *
 * @throws as Client.listBatches(), joinFolders(), `differing`; StorageError NO_SUCH_FILE when the folder of this
 * machine has disappeared
 */
export async function* planSync<Item extends SyncItem>(
  client: Client,
  terms: SyncPlanTerms<Item>,
): AsyncGenerator<Item[], SyncFindings<Item>> {
  const { isSending, filter, deletes, deletesExcluded, onFailed, root } = terms;
  const removals: Removal[] = [];
  const leftStaged: LeftStaged[] = [];
  let removalCount = 0;
  let isCut = false;
  const onLeftOut = (left: LeftOutThing) => {
    if (left.code === "NOT_FOUND" || left.code === "NO_SUCH_FILE") isCut = true;
    terms.onLeftOut(left);
  };
  const plan = new SyncPlan<Item>({
    ...terms,
    onLeftOut,
    onRemoval(removal) {
      if (++removalCount <= terms.maxRemovals) removals.push(removal);
    },
  });
  const isMeant = (path: string) => filter?.excludes(path) !== true;
  const list = new RemoteList(client, terms);
  const asked: Question<Item>[] = [];
  const pairs = joinFolders({
    ...{ there: list, root, paths: client.paths, here: terms.here, isSending },
    digest64: terms.digest64,
    enter: (folder) => filter?.enters(folder) !== false || (!isSending && deletes && deletesExcluded),
    onLeftOut: (left) => isMeant(left.name) && tellLocal(left),
  });
  for await (const batch of pairs) {
    if (list.isMissing && filter?.takesEmptyFolders !== false) {
      list.isMissing = false;
      yield [terms.itemOf({ ...(await terms.here.stat("")), path: "" }, "new", false)];
    }
    const taken = await takenOf(batch);
    for (const pair of batch) {
      if (pair.owner === undefined) plan.take(pair, taken.has(pair));
      else leftStaged.push({ path: pair.path, owner: pair.owner });
    }
    yield plan.takeItems();
    yield* answered(MAX_QUESTIONS);
  }
  plan.end();
  yield plan.takeItems();
  yield* answered(1);
  if (list.trailer !== undefined) {
    const below = (path: string) => (root === "" ? path : path.slice(root.length + 1));
    tellLeftOut(root, list.trailer, { onFailed, onLeftOut }, (path) => isMeant(below(path)));
  }
  for (const path of terms.takeHidden?.() ?? []) if (isMeant(path)) onLeftOut(keptBack(path));
  const { files, filesBarred, newer, isPutOff, afterwards } = plan;
  return { files, filesBarred, newer, isPutOff, afterwards, removals, removalCount, leftStaged, isCut };

  /** The items that answers call for, when enough questions have come together. */
  async function* answered(least: number): AsyncGenerator<Item[], void> {
    asked.push(...plan.takeQuestions());
    if (asked.length < least) return;
    yield (await terms.differing(asked.splice(0))).map(({ item }) => item);
  }

  /**
   * The pairs that only the source has, and whose names the target's disk takes for others of the source, which are
   * there: they would replace each other at every run.
   */
  async function takenOf(batch: readonly Pair[]): Promise<ReadonlySet<Pair>> {
    const isInQuestion = ({ here, there, isAlike, twin }: Pair) =>
      isSending ? twin !== undefined : here === undefined && there?.kind === "file" && !isAlike;
    const pairs = batch.filter(isInQuestion);
    const look = ({ path }: Pair) => (isSending ? hasRemote(client, joinPath(root, path)) : hasLocal(terms.here, path));
    const found = await Promise.all(pairs.map(look));
    return new Set(pairs.filter((_, index) => found[index]));
  }

  function tellLocal({ name, code }: LeftOut): void {
    const what = quote(name || ".");
    if (code === "UNREADABLE") onFailed(name, new StorageError("DISK_DENIED", `No permission to read ${what}.`));
    else if (code === "BAD_PATH") onLeftOut(badName(name));
    else if (name === "") throw new StorageError("NO_SUCH_FILE", "The folder has disappeared.");
    else if (isSending) onLeftOut(gone(name, { code: "NO_SUCH_FILE" }));
  }
}

async function hasLocal(storage: Pick<Storage, "stat">, path: string): Promise<boolean> {
  return await storage.stat(path).then(
    () => true,
    () => false,
  );
}

/** @throws the loss of the link */
async function hasRemote(client: Client, path: string): Promise<boolean> {
  try {
    await client.stat(path);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof RemoteError) || endsSession(thrown)) throw thrown;
    return false;
  }
}

/** The server's list of the mirrored folder. */
class RemoteList implements AsyncIterable<Entry[]> {
  readonly #client: Client;
  readonly #terms: Pick<SyncPlanTerms<SyncItem>, "root" | "isSending" | "signal">;
  /** Known when the list has ended. */
  trailer: ListTrailer | undefined;
  /** The folder is not there, and is made before anything is sent to it. */
  isMissing = false;

  constructor(client: Client, terms: Pick<SyncPlanTerms<SyncItem>, "root" | "isSending" | "signal">) {
    this.#client = client;
    this.#terms = terms;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Entry[], void> {
    const { root, isSending, signal } = this.#terms;
    const asked = isGlob(root) ? { path: root } : root || undefined;
    const batches = this.#client.listBatches(asked, signal, { maxEntries: MAX_LISTED });
    try {
      for (let step = await batches.next(); ; step = await batches.next()) {
        if (step.done) {
          this.trailer = step.value;
          return;
        }
        if (root !== "" && step.value[0]?.path === root) throw notAFolder(root);
        yield step.value;
      }
    } catch (thrown) {
      const isAbsent = thrown instanceof RemoteError && thrown.code === "NOT_FOUND";
      if (!isAbsent || !isSending || this.trailer !== undefined) throw thrown;
      this.isMissing = root !== "";
    } finally {
      await batches.return?.({ entries: 0, skipped: 0 });
    }
  }
}

function notAFolder(path: string): CommError {
  return new CommError("NOT_A_FILE", `${quote(path)} is a file: only folders are mirrored.`);
}
