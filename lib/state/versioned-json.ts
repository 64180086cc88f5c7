import { StorageError } from "../errors.ts";
import { requireKnownForm } from "./newer-state.ts";

/** The form of one kind of JSON file. */
export interface VersionedForm<Content> {
  /** The highest form number (`version`) that is known. */
  readonly form: number;
  /** @throws anything for content of another form */
  read(content: unknown): Content;
  /** The error message for a damaged file. */
  readonly damaged: string;
}

/**
 * Read the text of `file`, which holds JSON with its form number.
 *
 * @throws StorageError NEWER_STATE for a higher form number; DISK_FAILED for a damaged file
 */
export function parseVersioned<Content>(
  text: string,
  file: string,
  { form, read, damaged }: VersionedForm<Content>,
): Content {
  try {
    const content: unknown = JSON.parse(text);
    requireKnownForm(content, form, file);
    return read(content);
  } catch (cause) {
    if (cause instanceof StorageError) throw cause;
    throw new StorageError("DISK_FAILED", damaged, { cause });
  }
}
