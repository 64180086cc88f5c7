import { isSameStrong, isSameWeak, parseTags, STRONG_DATE_MS } from "./entity-tag.ts";
import { parseHttpDate } from "./http-date.ts";

/** Conditional requests. Source: RFC 9110, section 13. */

/** The fields that make a request conditional, as they arrived. */
export interface ConditionFields {
  readonly "if-match"?: string | undefined;
  readonly "if-none-match"?: string | undefined;
  readonly "if-modified-since"?: string | undefined;
  readonly "if-unmodified-since"?: string | undefined;
  readonly "if-range"?: string | undefined;
}

/** The present state; undefined where nothing exists. Times in milliseconds since 1970. */
export interface CurrentState {
  readonly tag: string;
  readonly modifiedAt: number | undefined;
}

export type Verdict = "go on" | "not modified" | "failed";

/** Evaluate the conditions, in the order of RFC 9110, 13.2.2. `isRead`: the method is GET or HEAD. */
export function judge(
  fields: ConditionFields,
  state: CurrentState | undefined,
  { isRead, now }: { isRead: boolean; now: number },
): Verdict {
  const match = fields["if-match"];
  const unmodified = timeOf(fields["if-unmodified-since"], now);
  if (match !== undefined) {
    if (!matches(match, state, isSameStrong)) return "failed";
  } else if (unmodified !== undefined && state?.modifiedAt !== undefined && seconds(state.modifiedAt) > unmodified) {
    return "failed";
  }
  const noneMatch = fields["if-none-match"];
  if (noneMatch !== undefined) {
    if (matches(noneMatch, state, isSameWeak)) return isRead ? "not modified" : "failed";
    return "go on";
  }
  const since = timeOf(fields["if-modified-since"], now);
  const isOld = since !== undefined && state?.modifiedAt !== undefined && seconds(state.modifiedAt) <= since;
  return isRead && isOld ? "not modified" : "go on";
}

/** Whether If-Range permits the Range field. Source: RFC 9110, 13.1.5. */
export function mayBeRanged(
  { "if-range": value }: ConditionFields,
  { tag, modifiedAt }: CurrentState,
  now: number,
): boolean {
  if (value === undefined) return true;
  if (/^(?:W\/)?"/.test(value)) return isSameStrong(value, tag);
  const date = parseHttpDate(value, now);
  return modifiedAt !== undefined && date === seconds(modifiedAt) && now - modifiedAt >= STRONG_DATE_MS;
}

/** An invalid list matches no state. */
function matches(
  value: string,
  state: CurrentState | undefined,
  isSame: (one: string, other: string) => boolean,
): boolean {
  const tags = parseTags(value);
  if (state === undefined || tags === undefined) return false;
  return tags === "any" || tags.some((tag) => isSame(tag, state.tag));
}

function timeOf(value: string | undefined, now: number): number | undefined {
  return value === undefined ? undefined : parseHttpDate(value, now);
}

/** A date has whole seconds. */
function seconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
