import { StreamError } from "../errors.ts";
import { baseName, joinPath } from "../path.ts";

/** An upload in several requests, described by its address and its first request. Source: tus 1.0.0. */

export const TUS_VERSION = "1.0.0";

/** Its only state is in its part and its address. */
export interface TusUpload {
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  /** The etag of the part. */
  readonly etag: string;
}

/** `SIZE-TIME-UUID`; the last two are the part's etag, as PUT makes it. */
const ID = /^(\d{1,16})-((\d{1,15})-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** The query that identifies it. */
export function idOf({ size, etag }: TusUpload): string {
  return `${size}-${etag.replace(/^http-/, "")}`;
}

/** @throws StreamError NOT_FOUND for an invalid id */
export function uploadOf(id: string | null): TusUpload {
  const [, size, rest, time] = ID.exec(id ?? "") ?? [];
  if (size === undefined) throw new StreamError("NOT_FOUND", "There is no such upload.");
  return { size: Number(size), modifiedAt: Number(time), etag: `http-${rest}` };
}

/** The values of Upload-Metadata, by key. @throws StreamError BAD_PARAMS */
export function readMetadata(value: string | undefined): ReadonlyMap<string, string> {
  const pairs = (value ?? "").split(",").filter((pair) => pair.trim() !== "");
  return new Map(
    pairs.map((pair) => {
      const [, key, encoded = ""] = /^\s*([^\s,]+)(?: +([A-Za-z0-9+/]*={0,2}))?\s*$/.exec(pair) ?? [];
      if (key === undefined) throw new StreamError("BAD_PARAMS", "Upload-Metadata can't be read.");
      return [key, Buffer.from(encoded, "base64").toString("utf8")];
    }),
  );
}

/** The path of the file: `path` itself, or the name from the metadata in the folder `path`. @throws StreamError */
export function placeOf(path: string, isFolder: boolean, metadata: ReadonlyMap<string, string>): string {
  if (!isFolder) return path;
  const name = metadata.get("filename") ?? metadata.get("name") ?? "";
  if (name === "") throw new StreamError("BAD_PARAMS", "Upload-Metadata needs a filename.");
  if (baseName(name) !== name) throw new StreamError("BAD_PATH", "The filename has a slash.");
  return joinPath(path, name);
}
