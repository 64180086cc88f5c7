import type { LeftOutThing } from "../../client/left-out.ts";
import { quote } from "../../quote.ts";
import { escapeText } from "../escape.ts";

/** What was left out, in words that are safe to show. */
export function describeLeftOut({ path, why, count = 1 }: LeftOutThing): string {
  const name = quote(path === "" ? "." : path);
  return escapeText(`Left out ${count > 1 ? `${count} more in ${name}` : name}: ${why}`);
}
