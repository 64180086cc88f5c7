import { baseName, MAX_NAME_BYTES } from "../path.ts";

/** A longer ending, in UTF-16 units, is not an extension but a part of the name. */
const MAX_EXTENSION = 32;

/** `report (2).pdf` for a second `report.pdf`; if the name would be too long for the system, its stem is cut. */
export function copyName(name: string, copy: number): string {
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && name.length - dot <= MAX_EXTENSION ? name.slice(dot) : "";
  const stem = [...name.slice(0, name.length - extension.length)];
  for (;;) {
    const tried = `${stem.join("")} (${copy + 1})${extension}`;
    if (encoder.encode(tried).length <= MAX_NAME_BYTES) return tried;
    stem.pop();
  }
}

const encoder = new TextEncoder();

/** The path of a copy beside `path`. */
export function copyPath(path: string, copy: number): string {
  const name = baseName(path);
  return path.slice(0, path.length - name.length) + copyName(name, copy);
}
