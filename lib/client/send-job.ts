import { inOneBatch } from "./batches.ts";
import type { Verification } from "./direction.ts";
import { prefetch } from "./prefetch.ts";
import { planSend, type SendPlanOptions } from "./send-plan.ts";
import type { UploadItem } from "./transfer.ts";
import { TransferJob, type TransferJobSettings } from "./transfer-job.ts";
import { Upload } from "./upload.ts";

export interface SendJobSettings
  extends TransferJobSettings<UploadItem>,
    Pick<SendPlanOptions, "sources" | "here" | "to" | "as" | "filter"> {
  /** Absent: the SHA-256 of both ends are not compared; each block was verified all the same. */
  readonly verification?: Pick<Verification<UploadItem>, "sha256"> | undefined;
}

/** A `put` as a library. */
export function sendJob(settings: SendJobSettings): TransferJob<UploadItem> {
  const { sources, here, to, as, filter, verification } = settings;
  return new TransferJob(settings, {
    isSending: true,
    isConflict: () => true,
    move(items, plan, options) {
      const batches =
        items === undefined
          ? prefetch(planSend({ sources, here, to, as, filter, ...plan }), plan.onPlanComplete)
          : inOneBatch(items);
      return new Upload(batches, options);
    },
    verification: verification && {
      sha256: () => verification.sha256(),
      open: (item) => item.local.open(item.from),
      remotePath: (_, path) => path,
    },
  });
}
