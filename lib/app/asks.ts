import * as v from "valibot";
import { count, text } from "../protocol/shapes.ts";

/**
 * What a page asks of the application, in JSON: `{"id": 7, "ask": "list", "side": "there", "path": "docs"}`. An answer
 * is `{"id": 7, "part": …}` any number of times, then `{"id": 7, "result": …}` or `{"id": 7, "error": …}`.
 */

/** The longest path or name in a question, in UTF-16 units. */
const MAX_PATH = 4096;
/** The most paths in one question. */
const MAX_PATHS = 10_000;

/** `here` is the machine that the page belongs to, `there` the repository. */
export const Side = v.picklist(["here", "there"]);
export type Side = v.InferOutput<typeof Side>;

const path = v.pipe(v.string(), v.maxLength(MAX_PATH));
const paths = v.pipe(v.array(path), v.minLength(1), v.maxLength(MAX_PATHS));

/** What happens to files that exist at the target; `ask`: the page answers with the job's `resolve`. */
export const Exists = v.picklist(["ask", "overwrite", "rename", "skip"]);
export type Exists = v.InferOutput<typeof Exists>;

export const Resolution = v.picklist(["overwrite", "rename", "skip"]);
export type Resolution = v.InferOutput<typeof Resolution>;

export const Ask = v.variant("ask", [
  /** Who and where we are. */
  v.object({ ask: v.literal("hello") }),
  /** What is in a folder, in parts; the result is a `Listing`. */
  v.object({ ask: v.literal("list"), side: Side, path }),
  /** Files and folders below a folder whose names contain `text`, in parts; at most `MAX_FOUND`. */
  v.object({
    ask: v.literal("search"),
    side: v.literal("there"),
    path,
    text: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  }),
  v.object({ ask: v.literal("makeFolder"), side: Side, path }),
  v.object({ ask: v.literal("rename"), side: Side, from: path, to: path }),
  v.object({ ask: v.literal("remove"), side: Side, paths }),
  v.object({ ask: v.literal("digest"), side: Side, path }),
  /** Begin a transfer of `paths` of the other side into the folder `into`; the result is the job's number. */
  v.object({ ask: v.literal("transfer"), from: Side, paths, into: path, exists: Exists }),
  v.object({ ask: v.literal("pause"), job: count }),
  v.object({ ask: v.literal("resume"), job: count }),
  v.object({ ask: v.literal("cancel"), job: count }),
  /** Forget a job that has ended. */
  v.object({ ask: v.literal("dismiss"), job: count }),
  /** Answer the job's conflicts: one for all, or one for each, in their order. */
  v.object({
    ask: v.literal("resolve"),
    job: count,
    with: v.union([Resolution, v.pipe(v.array(Resolution), v.maxLength(1000))]),
  }),
  v.object({ ask: v.literal("status") }),
  v.object({ ask: v.literal("ping") }),
  v.object({ ask: v.literal("say"), text, to: v.optional(v.pipe(v.string(), v.maxLength(256))) }),
  /** From now on `changed` events tell when the folder that is shown has changed. */
  v.object({ ask: v.literal("follow"), side: Side, path }),
]);
export type Ask = v.InferOutput<typeof Ask>;

/** A question with its number, which its answers repeat. */
export const Question = v.intersect([v.object({ id: count }), Ask]);
export type Question = v.InferOutput<typeof Question>;
