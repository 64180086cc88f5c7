import { type CommError, toCommError } from "../../errors.ts";
import { joinPath } from "../../path.ts";
import type { Storage } from "../../storage/storage.ts";
import type { Sha256 } from "../../transfer/digest-file.ts";
import type { Client } from "../client.ts";
import { compareDigests } from "../digest-check.ts";
import type { Direction } from "../direction.ts";
import { Download } from "../download.ts";
import type { LeftOutThing } from "../left-out.ts";
import { PathSet } from "../path-set.ts";
import { prefetch } from "../prefetch.ts";
import type { UploadItem } from "../transfer.ts";
import { TransferJob, type TransferJobEvents, type TransferJobSettings } from "../transfer-job.ts";
import type { Done } from "../transfer-result.ts";
import { Upload } from "../upload.ts";
import type { SyncEntry } from "./folder-join.ts";
import { overLinks } from "./over-links.ts";
import { planSync, type SyncFindings } from "./plan-sync.ts";
import { type LeftStaged, StagedFiles } from "./staged-files.ts";
import { stagedPath } from "./staged-name.ts";
import type { Question, SyncChange, SyncItem } from "./sync-item.ts";
import type { SyncPass, SyncRules } from "./sync-plan.ts";
import type { SyncTally } from "./sync-result.ts";
import type { SyncTarget } from "./sync-target.ts";

/** An item of either direction. */
export type MirrorItem = SyncItem & UploadItem;

/** The mirrored folder of this machine: its files are read, or written. */
export type LocalFolder = Pick<
  Storage,
  "list" | "stat" | "open" | "load" | "place" | "hasOwnName" | "receive" | "store" | "makeFolder" | "finishFolder"
>;

export interface SyncEvents extends Omit<TransferJobEvents<MirrorItem>, "onSourceFailed" | "onVerifying"> {
  /** What is at `path`, below the mirrored folder, can't be read, compared or removed. */
  onPathFailed?(path: string, error: CommError): void;
}

export interface SyncMoverSettings
  extends Pick<TransferJobSettings<MirrorItem>, "connection" | "clock" | "digest64" | "blockTag" | "signal"> {
  /** From this machine to the repository. */
  readonly isSending: boolean;
  readonly here: LocalFolder;
  /** As SyncPlanTerms.takeHidden(). */
  takeHidden?: (() => string[]) | undefined;
  /** The folder of the repository; "" is its root. */
  readonly root: string;
  readonly target: SyncTarget;
  readonly rules: SyncRules;
  /** The most removals that are remembered; more are only counted. */
  readonly maxRemovals: number;
  readonly tally: SyncTally;
  sha256(): Sha256;
  readonly events: SyncEvents;
}

/** Moves what a mirror's plan has, by a TransferJob. */
export class SyncMover {
  readonly #settings: SyncMoverSettings;
  /** Items that were planned, and things that were reported: a plan may be made several times. */
  readonly #planned: PathSet;
  readonly #told: PathSet;
  #filesPlanned = 0;
  /** Planned files that were the same after all. */
  #filesSame = 0;
  #findings: SyncFindings<MirrorItem> | undefined;
  /** A planned item has disappeared: the list of the source is no longer true. */
  #hasLost = false;
  readonly #staged: StagedFiles;

  constructor(settings: SyncMoverSettings) {
    this.#settings = settings;
    this.#planned = new PathSet(settings.digest64);
    this.#told = new PathSet(settings.digest64);
    this.#staged = new StagedFiles(settings);
  }

  /** Report all that a run would move. @throws as planSync() */
  async readPlan(pass: SyncPass): Promise<SyncFindings<MirrorItem>> {
    const { connection, events } = this.#settings;
    for await (const items of overLinks(connection, (client) => this.#plan(client, pass, true))) this.reportAll(items);
    events.onPlanComplete?.();
    return this.#found();
  }

  /** Report items of a dry run as moved. */
  reportAll(items: readonly MirrorItem[]): void {
    for (const item of items) this.#done(item, { outcome: "stored", path: item.path, size: item.size });
  }

  /** Make the plan, and move what it has. @throws as TransferJob.run(), planSync() */
  async move(pass: SyncPass): Promise<SyncFindings<MirrorItem>> {
    const { connection, isSending, here } = this.#settings;
    const direction: Direction<MirrorItem> = {
      isSending,
      isConflict: () => false,
      move: (_, { onPlanComplete }, options) => {
        // A download makes its plan again by itself, and knows what it has.
        const plan = (client: Client) => this.#plan(client, pass, isSending);
        return isSending
          ? new Upload(prefetch(overLinks(connection, plan), onPlanComplete), options)
          : new Download((client) => prefetch(plan(client), onPlanComplete), { ...options, local: here });
      },
    };
    try {
      await new TransferJob({ ...this.#settings, events: this.#transferEvents, exists: "overwrite" }, direction).run();
    } catch (thrown) {
      this.#staged.stop();
      throw thrown;
    } finally {
      // The file at its place may be moved away already.
      await this.#staged.settled();
    }
    return this.#found();
  }

  #found(): SyncFindings<MirrorItem> {
    const findings = this.#findings;
    if (findings === undefined) throw new Error("the plan was not made to its end");
    const { tally } = this.#settings;
    const { files, filesBarred, newer, afterwards } = findings;
    const others = filesBarred + newer + afterwards.filter(({ kind }) => kind === "file").length;
    tally.skipped = newer;
    tally.unchanged = Math.max(0, files - others - this.#filesPlanned) + this.#filesSame;
    return this.#hasLost ? { ...findings, isCut: true } : findings;
  }

  /** With `isFresh`, only what no plan had before. */
  async *#plan(client: Client, pass: SyncPass, isFresh: boolean): AsyncGenerator<MirrorItem[], void> {
    const { isSending, here, takeHidden, root, rules, maxRemovals, signal, digest64, events } = this.#settings;
    this.#findings = undefined;
    const steps = planSync<MirrorItem>(client, {
      ...rules,
      ...{ isSending, pass, here, takeHidden, root, maxRemovals, signal, digest64 },
      itemOf: (source, change, isStaged) => this.#itemOf(source, change, isStaged),
      differing: (questions) => this.#differing(questions),
      onFailed: (path, error) => this.#pathFailed(path, error),
      onLeftOut: (left) => this.#leaveOut(left),
    });
    for (let step = await steps.next(); ; step = await steps.next()) {
      if (step.done) {
        this.#findings = step.value;
        return;
      }
      const fresh = step.value.filter(({ path }) => this.#planned.add(path));
      this.#filesPlanned += fresh.filter(({ kind }) => kind === "file").length;
      for (const item of fresh) events.onPlanned?.(item);
      yield isFresh ? fresh : step.value;
    }
  }

  #itemOf(source: SyncEntry, change: SyncChange, isStaged: boolean): MirrorItem {
    const { isSending, root, here, digest64 } = this.#settings;
    const { path, kind, size, modifiedAt, mode } = source;
    const place = isStaged ? stagedPath(path, digest64) : path;
    return {
      ...{ path, change, isStaged, size, modifiedAt, mode, local: here, isFound: path !== "" },
      kind: kind === "folder" ? "folder" : "file",
      from: isSending ? path : joinPath(root, path),
      to: isSending ? joinPath(root, place) : place,
      older: isStaged ? joinPath(isSending ? root : "", path) : undefined,
    };
  }

  async #differing(questions: readonly Question<MirrorItem>[]): Promise<readonly Question<MirrorItem>[]> {
    const { here, root, rules } = this.#settings;
    const differing: Question<MirrorItem>[] = [];
    if (!rules.comparesContent) {
      for (const question of questions) {
        const { path } = question.source;
        const { outcome } = await here.place(path, question.source, "overwrite");
        if (outcome !== "unchanged") differing.push(question);
      }
      return differing;
    }
    const pairs = questions.map((item) => {
      const { path } = item.source;
      return { item, remote: joinPath(root, path), open: () => here.open(path) };
    });
    await compareDigests(pairs, {
      ...this.#settings,
      onBegin() {},
      onSame() {},
      // What can't be read fails when it moves.
      onFailed: ({ item }) => differing.push(item),
    });
    return differing;
  }

  get #transferEvents(): TransferJobEvents<MirrorItem> {
    const { onPlanned: _, ...events } = this.#settings.events;
    return {
      ...events,
      onDone: (item, done) => {
        if (item.isStaged && done.outcome !== "skipped") this.#place(item, done);
        else this.#done(item, done);
      },
      onGone: () => {
        this.#hasLost = true;
      },
      onFailed: (item, error) => this.#failed(item, error),
      onSourceFailed: (path, error) => this.#pathFailed(path, error),
      onLeftOut: (left) => this.#leaveOut(left),
    };
  }

  #place(item: MirrorItem, done: Done): void {
    const { path } = item;
    const onPlaced = () => this.#done(item, { ...done, outcome: "stored", path });
    this.#staged.place(path, done.outcome === "unchanged", onPlaced, (error) => this.#failed(item, error));
  }

  /** Remove what interrupted runs have left of files that are at their places. @throws as SyncTarget.remove() */
  async clearStaged(left: readonly LeftStaged[]): Promise<void> {
    for (const each of left) {
      await this.#staged.clear(each).catch((thrown) => this.#pathFailed(each.path, toCommError(thrown)));
    }
  }

  #done(item: MirrorItem, done: Done): void {
    const { tally, events } = this.#settings;
    if (item.kind === "file") {
      if (done.outcome === "stored") tally.addMoved(item.change, done);
      else this.#filesSame++;
    }
    events.onDone?.(item, done);
  }

  #failed(item: MirrorItem, error: CommError): void {
    const { tally, events } = this.#settings;
    tally.addFailure(error);
    events.onFailed?.(item, error);
  }

  #pathFailed(path: string, error: CommError): void {
    const { tally, events } = this.#settings;
    if (!this.#told.add(`failed ${path}`)) return;
    tally.addFailure(error);
    events.onPathFailed?.(path, error);
  }

  #leaveOut(left: LeftOutThing): void {
    const { tally, events } = this.#settings;
    const { path, count = 1 } = left;
    if (!this.#told.add(`${count} ${path}`)) return;
    tally.addLeftOut(count);
    events.onLeftOut?.(left);
  }
}
