import { StorageError } from "../errors.ts";
import { quote } from "../quote.ts";

/**
 * @throws StorageError NEWER_STATE when the form number (`version`) in `content` is higher than `known`
 */
export function requireKnownForm(content: unknown, known: number, file: string): void {
  const form = content !== null && typeof content === "object" && "version" in content ? content.version : undefined;
  if (typeof form === "number" && Number.isInteger(form) && form > known) throw newerState(file);
}

export function newerState(file: string): StorageError {
  return new StorageError("NEWER_STATE", `${quote(file)} was written by a newer version of CommServer.`);
}
