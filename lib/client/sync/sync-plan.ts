import { CommError } from "../../errors.ts";
import { FoldersAbove } from "../../folders-above.ts";
import { quote } from "../../quote.ts";
import type { Filter } from "../filter.ts";
import { type LeftOutThing, oddKind } from "../left-out.ts";
import { Doomed, type Removal } from "./doomed.ts";
import type { Pair, SyncEntry } from "./folder-join.ts";
import { MirrorError } from "./mirror-error.ts";
import type { Question, SyncChange, SyncItem } from "./sync-item.ts";

/** The longest steps in which disks keep times, in milliseconds (FAT). */
const MAX_TIME_STEP = 2_000;

/** What a plan does with something that must go before its source can come. */
export type SyncPass =
  /** Puts off what waits for a removal. */
  | "first"
  /** All removals that had to come first are done. */
  | "last"
  /** Plans all, for people to read. */
  | "dry";

export interface SyncRules {
  /** Whether what only the target has goes. */
  readonly deletes: boolean;
  /** Whether what the patterns of the filter exclude goes, too. */
  readonly deletesExcluded: boolean;
  /** Whether files that are newer at the target stay. */
  readonly isNewerKept: boolean;
  /** Whether files of the same size are compared by their content, and not by their times. */
  readonly comparesContent: boolean;
  readonly filter?: Filter | undefined;
  /** A path below the target that is none of the mirror's, with everything in it. */
  readonly apart?: string | undefined;
  /** Whether files that are replaced or removed are kept elsewhere: see SyncTarget.setAside(). */
  readonly setsAside: boolean;
}

export interface SyncPlanOptions<Item extends SyncItem> extends SyncRules {
  /** From this machine to the repository. */
  readonly isSending: boolean;
  readonly pass: SyncPass;
  /** The item that moves `source`. */
  itemOf(source: SyncEntry, change: SyncChange, isStaged: boolean): Item;
  /** Called for what is removed; what is in a folder comes before the folder. */
  onRemoval(removal: Removal): void;
  onFailed(path: string, error: CommError): void;
  onLeftOut(left: LeftOutThing): void;
}

/** Decides what a mirror does, path by path. Asks nobody: take() gets both sides of every path, from joinFolders(). */
export class SyncPlan<Item extends SyncItem> {
  readonly #options: SyncPlanOptions<Item>;
  readonly #doomed: Doomed;
  /** Folders of the source that come only with a file in them. */
  readonly #above = new FoldersAbove<Item>();
  #items: Item[] = [];
  #questions: Question<Item>[] = [];
  /** What comes after the removals, in a dry run. */
  readonly #afterwards: Item[] = [];
  /** A folder of the source that can't come, or not yet; neither can anything in it. */
  #barred: string | undefined;
  /** A folder of the source that comes, with everything in it, only after a removal. */
  #waiting: string | undefined;
  /** A folder of the source that comes only with a file in it, and what is in its place. */
  #idle: { readonly source: SyncEntry; readonly target: SyncEntry } | undefined;
  /** Files of the source that are mirrored. */
  files = 0;
  /** Those that can't come, or not yet, because of something at the target. */
  filesBarred = 0;
  /** Those that stay because they are newer at the target. */
  newer = 0;
  /** Whether something of the source waits for a removal. */
  isPutOff = false;

  constructor(options: SyncPlanOptions<Item>) {
    this.#options = options;
    this.#doomed = new Doomed((removal) => options.onRemoval(removal));
  }

  /** The next pair. `isTaken`: the target's disk takes its name for that of another file or folder of the source. */
  take(pair: Pair, isTaken = false): void {
    const { isSending, filter, apart } = this.#options;
    const { path, here, there } = pair;
    const [source, target] = isSending ? [here, there] : [there, here];
    if (isIn(path, apart)) {
      if (target !== undefined) this.#doomed.add(target, false);
      return;
    }
    if (!isIn(path, this.#barred)) this.#barred = undefined;
    if (!isIn(path, this.#waiting)) this.#waiting = undefined;
    if (!isIn(path, this.#idle?.source.path)) this.#idle = undefined;
    if (source !== undefined && isMovable(source) && filter?.takes(source) !== false) {
      if (source.kind === "file") this.files++;
      if (this.#barred === undefined) {
        if (isTaken) this.#refuseTwin(source);
        else this.#mirror(source, target, pair);
      } else if (source.kind === "file") this.filesBarred++;
      return;
    }
    const isExcluded = filter?.excludes(path) === true;
    if (target !== undefined) {
      const mayGo = isExcluded ? this.#options.deletesExcluded : source === undefined && isPassed(target, filter);
      this.#doomed.add(target, this.#options.deletes && mayGo, { isInTheWay: pair.isAlike });
    }
    if (source !== undefined && !isMovable(source) && !isExcluded) {
      this.#options.onLeftOut(oddKind(path, source.kind, isSending ? "the folder that is sent" : "the repository"));
    }
  }

  /** There are no more pairs. */
  end(): void {
    this.#doomed.end();
  }

  /** What moves, as far as it has been decided; folders come before what is in them. */
  takeItems(): Item[] {
    return this.#items.splice(0);
  }

  /** In a dry run: what moves if nothing forbids the removals. */
  get afterwards(): readonly Item[] {
    return this.#afterwards;
  }

  /** Files that must be compared; see Question. */
  takeQuestions(): Question<Item>[] {
    return this.#questions.splice(0);
  }

  /** It would replace the other one, or come into its place, at every run. */
  #refuseTwin(source: SyncEntry): void {
    this.#bar(source);
    const words = `On the target's disk, ${quote(source.path)} is the same name as another one beside it.`;
    this.#options.onFailed(source.path, new CommError("SAME_NAME", words));
  }

  #mirror(source: SyncEntry, target: SyncEntry | undefined, { isAlike, twin, hasStaged }: Pair): void {
    const { deletes, pass, filter } = this.#options;
    const isFile = source.kind === "file";
    if (isFile && this.#idle !== undefined) {
      const { source: folder, target: inPlace } = this.#idle;
      this.#idle = undefined;
      this.#clear(folder, inPlace);
      if (this.#barred !== undefined) return void this.filesBarred++;
    }
    // Whether the disk takes two names for the same shows when one of them is there.
    const isLater = twin === "before" || (isAlike && deletes);
    if (isLater && pass !== "last") this.#putOff(source);
    if (this.#barred !== undefined) return;
    if (target === undefined) this.#add(source, "new", isFile && hasStaged === true);
    else if (isFile && target.kind === "file") this.#compare(source, target);
    // The link itself is replaced, not what it leads to.
    else if (isFile && target.kind === "link") this.#add(source, "updated");
    else if (isFile || target.kind !== "folder") {
      if (!isFile && filter?.takesEmptyFolders === false) this.#idle ??= { source, target };
      else this.#clear(source, target);
    }
  }

  /** Something of another kind is at the place of `source`. */
  #clear(source: SyncEntry, target: SyncEntry): void {
    const { deletes, deletesExcluded, pass, filter } = this.#options;
    if (!deletes || pass === "last") {
      this.#bar(source);
      return this.#blocked(source, target);
    }
    this.#putOff(source);
    const mayGo = deletesExcluded || filter?.excludes(target.path) !== true;
    this.#doomed.add(target, mayGo, {
      isInTheWay: true,
      onSettled: (goes) => {
        if (!goes) this.#blocked(source, target);
        else if (pass === "dry") this.#afterwards.push(this.#options.itemOf(source, "new", false));
      },
    });
  }

  #blocked({ path }: SyncEntry, { kind }: SyncEntry): void {
    const what = kind === "other" ? "something else" : `a ${kind}`;
    const fault = this.#options.deletes ? "kept" : "in the way";
    const words = `There is ${what} in the place of ${quote(path)}.`;
    this.#options.onFailed(path, new MirrorError(fault, "EXISTS", words));
  }

  /** It comes after a removal. */
  #putOff(source: SyncEntry): void {
    this.isPutOff = true;
    if (this.#options.pass === "dry") this.#waiting = source.path;
    else this.#bar(source);
  }

  #bar({ path, kind }: SyncEntry): void {
    this.#barred = path;
    if (kind === "file") this.filesBarred++;
  }

  #compare(source: SyncEntry, target: SyncEntry): void {
    const { isNewerKept, comparesContent, isSending, setsAside, pass } = this.#options;
    const apart = Math.abs(source.modifiedAt - target.modifiedAt);
    const isSameSize = source.size === target.size;
    // A real run asks the server, whose disk may keep whole seconds only.
    const isRounded =
      pass === "dry" && isSending && target.modifiedAt === source.modifiedAt - (source.modifiedAt % 1_000);
    if (isSameSize && (apart === 0 || isRounded) && !comparesContent) return;
    if (isNewerKept && target.modifiedAt > source.modifiedAt) {
      this.newer++;
    } else if (isSameSize && comparesContent) {
      // A file with the size and time of the other would be taken for it.
      this.#questions.push({
        source,
        item: this.#options.itemOf(source, "updated", setsAside || apart < MAX_TIME_STEP),
      });
    } else if (isSameSize && apart < MAX_TIME_STEP && !isSending) {
      this.#questions.push({ source, item: this.#options.itemOf(source, "updated", setsAside) });
    } else this.#add(source, "updated", setsAside);
  }

  #add(source: SyncEntry, change: SyncChange, isStaged = false): void {
    const { filter } = this.#options;
    const item = this.#options.itemOf(source, change, isStaged);
    const items = this.#waiting === undefined ? this.#items : this.#afterwards;
    if (source.kind === "folder" && filter?.takesEmptyFolders === false) this.#above.enter(item);
    else items.push(...this.#above.take(source.path), item);
  }
}

/** Whether the path is that of the folder, or below it. */
function isIn(path: string, folder: string | undefined): boolean {
  return folder !== undefined && (path === folder || path.startsWith(`${folder}/`));
}

function isMovable({ kind }: SyncEntry): boolean {
  return kind === "file" || kind === "folder";
}

/** Whether the filter's limits of size and time let the target's file pass: others are none of the mirror's. */
function isPassed(target: SyncEntry, filter: Filter | undefined): boolean {
  return !isMovable(target) || filter?.takes(target) !== false;
}
