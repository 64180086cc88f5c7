import { inOneBatch } from "../batches.ts";
import type { Verification } from "./direction.ts";
import type { PlanEvents } from "./plan.ts";
import { prefetch } from "./prefetch.ts";
import { planSend, type SendPlanOptions } from "./send-plan.ts";
import type { UploadItem } from "./transfer.ts";
import { TransferJob, type TransferJobSettings } from "./transfer-job.ts";
import { Upload } from "./upload.ts";

export interface UploadJobSettings extends TransferJobSettings<UploadItem> {
  /** What is sent, in this order. Called once. */
  plan(events: PlanEvents<UploadItem>): AsyncIterable<UploadItem[]>;
  /** Absent: the SHA-256 of both ends are not compared; each block was verified all the same. */
  readonly verification?: Pick<Verification<UploadItem>, "sha256"> | undefined;
}

/** A `put` of anything, as a library. */
export function uploadJob(settings: UploadJobSettings): TransferJob<UploadItem> {
  const { verification } = settings;
  return new TransferJob(settings, {
    isSending: true,
    isConflict: () => true,
    move: (items, plan, options) =>
      new Upload(items === undefined ? prefetch(settings.plan(plan), plan.onPlanComplete) : inOneBatch(items), options),
    verification: verification && {
      sha256: () => verification.sha256(),
      open: (item) => item.local.open(item.from),
      remotePath: (_, path) => path,
    },
  });
}

export interface SendJobSettings
  extends Omit<UploadJobSettings, "plan">,
    Pick<SendPlanOptions, "sources" | "here" | "to" | "as" | "filter"> {}

/** A `put` of files and folders, as a library. */
export function sendJob(settings: SendJobSettings): TransferJob<UploadItem> {
  const { sources, here, to, as, filter } = settings;
  return uploadJob({ ...settings, plan: (events) => planSend({ sources, here, to, as, filter, ...events }) });
}
