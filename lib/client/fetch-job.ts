import { inOneBatch } from "../batches.ts";
import { RemoteError } from "../errors.ts";
import type { OpenFile } from "../storage/storage.ts";
import type { Verification } from "./direction.ts";
import { Download } from "./download.ts";
import type { DownloadOptions } from "./download-options.ts";
import { type FetchPlanOptions, planFetch } from "./fetch-plan.ts";
import { withOwnTargets } from "./own-targets.ts";
import { PathSet } from "./path-set.ts";
import { prefetch } from "./prefetch.ts";
import type { TransferItem } from "./transfer.ts";
import { TransferJob, type TransferJobSettings } from "./transfer-job.ts";

export interface FetchJobSettings
  extends TransferJobSettings<TransferItem>,
    Pick<DownloadOptions, "local" | "isSequential" | "isWithoutHoles">,
    Pick<FetchPlanOptions, "sources" | "naming" | "filter"> {
  /** Absent: the SHA-256 of both ends are not compared; each block was verified all the same. */
  readonly verification?:
    | (Pick<Verification<TransferItem>, "sha256"> & {
        /** The file that was fetched to `path`. */
        open(path: string): Promise<OpenFile>;
      })
    | undefined;
}

/** A `get` as a library. */
export function fetchJob(settings: FetchJobSettings): TransferJob<TransferItem> {
  const { sources, naming, filter, signal, digest64, verification } = settings;
  return new TransferJob(settings, {
    isSending: false,
    // The files to replace are local: a server's error can't be about them.
    isConflict: (error) => !(error instanceof RemoteError),
    move(items, plan, options) {
      const downloadOptions = { ...settings, ...options };
      if (items !== undefined) return new Download(() => inOneBatch(items), downloadOptions);
      const [planned, failed] = [new PathSet(digest64), new PathSet(digest64)];
      const events = {
        // After a lost link the plan is made again; count each item once.
        onPlanned: (item: TransferItem) => planned.add(item.to) && plan.onPlanned(item),
        onFailed: (...[source, error]: Parameters<typeof plan.onFailed>) =>
          failed.add(source) && plan.onFailed(source, error),
        onLeftOut: plan.onLeftOut,
      };
      return new Download((client) => {
        const found = planFetch(client, { sources, naming, filter, signal, ...events });
        // The files of one source have targets of their own.
        const items = sources.length === 1 ? found : withOwnTargets(found, digest64, events.onFailed);
        return prefetch(items, plan.onPlanComplete);
      }, downloadOptions);
    },
    verification: verification && {
      sha256: () => verification.sha256(),
      open: (_, path) => verification.open(path),
      remotePath: (item) => item.from,
    },
  });
}
