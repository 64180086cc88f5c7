import type { ArgsDef } from "citty";
import type { Asked } from "../../client/asked-params.ts";
import { formatBytes } from "../../format-bytes.ts";
import { escapeGlob, GLOB_LIMITS, isGlob, topOf } from "../../glob.ts";
import { joinPath } from "../../path.ts";
import type { Entry } from "../../protocol/methods.ts";
import { integerFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { plural } from "../format.ts";
import { UsageError } from "../usage-error.ts";

/** Flags for how deep, in which order and with what `list` shows. */
export const SHAPE_FLAGS = {
  depth: { type: "string", valueHint: "N", description: "How many levels below the folder; 1: what is directly in it" },
  sort: { type: "string", valueHint: "name|size|time", description: "Largest or newest first, or by name" },
  long: { type: "boolean", alias: "l", description: "Show exact sizes, and add them up" },
} as const satisfies ArgsDef;

const ORDERS = {
  name: (a: Entry, b: Entry) => (a.path < b.path ? -1 : 1),
  size: (a: Entry, b: Entry) => b.size - a.size || ORDERS.name(a, b),
  time: (a: Entry, b: Entry) => b.modifiedAt - a.modifiedAt || ORDERS.name(a, b),
};

export interface ListShape {
  /** Levels below the folder that is listed, or that a pattern begins in. */
  readonly depth?: number | undefined;
  /** Absent: as the server lists them. */
  readonly order?: ((a: Entry, b: Entry) => number) | undefined;
  readonly isLong?: boolean;
}

/** @throws UsageError */
export function readShape(flags: Flags): ListShape {
  const sort = flags["sort"];
  if (sort !== undefined && !Object.hasOwn(ORDERS, String(sort)))
    throw new UsageError(`--sort takes name, size or time, not "${sort}".`);
  return {
    depth: flags["depth"] === undefined ? undefined : integerFlag(flags, "depth", 1, 128),
    order: sort === undefined ? undefined : ORDERS[String(sort) as keyof typeof ORDERS],
    isLong: flags["long"] === true,
  };
}

/** The folder that is listed, or that the pattern begins in; "" is the root. */
export function rootOf(asked: Asked | undefined): string {
  if (typeof asked === "string" && isGlob(asked)) return topOf(asked);
  return typeof asked === "object" ? asked.path : (asked ?? "");
}

/** Whether an entry is deep enough in `root` to be shown. */
export function isWithin({ path }: Pick<Entry, "path">, root: string, depth: number | undefined): boolean {
  if (depth === undefined || path === root) return true;
  return path.slice(root === "" ? 0 : root.length + 1).split("/").length <= depth;
}

/** A pattern for what is at most `depth` levels below a folder; undefined when it would be too long for one. */
export function patternTo(folder: string, depth: number): string | undefined {
  const levels = Array.from({ length: depth }, (_, level) =>
    Array(level + 1)
      .fill("*")
      .join("/"),
  );
  const pattern = joinPath(escapeGlob(folder), depth === 1 ? "*" : `{${levels.join(",")}}`);
  const stars = (depth * (depth + 1)) / 2;
  return stars <= GLOB_LIMITS.stars && pattern.length <= GLOB_LIMITS.length ? pattern : undefined;
}

/** Adds up what was shown. */
export class ListTotal {
  #files = 0;
  #folders = 0;
  #bytes = 0;

  add({ kind, size }: Pick<Entry, "kind" | "size">): void {
    if (kind === "folder") this.#folders++;
    if (kind !== "file") return;
    this.#files++;
    this.#bytes += size;
  }

  /** `2 files, 1 folder, 1.5 KB` */
  get words(): string {
    return `${plural(this.#files, "file")}, ${plural(this.#folders, "folder")}, ${formatBytes(this.#bytes)}`;
  }
}
