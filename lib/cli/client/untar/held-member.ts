import type { BigIntStats } from "node:fs";
import { open } from "node:fs/promises";
import { readError } from "../../../storage/disk-error.ts";
import type { LoadedFile, OpenFile, StorageEntry } from "../../../storage/storage.ts";
import { storageFault } from "../../../storage-faults.ts";

/** Where the bytes of a member are while it is sent. */
export type MemberPlace =
  | { readonly bytes: Uint8Array }
  /** In a file; `stamp` of the file changes with it. */
  | { readonly path: string; readonly offset: number; readonly stamp: string };

/** A member of a tar as the tree with that one file. It can be read until it is released, as often as a transfer needs. */
export class HeldMember {
  readonly #entry: StorageEntry;
  readonly #place: MemberPlace;

  constructor(entry: StorageEntry, place: MemberPlace) {
    this.#entry = entry;
    this.#place = place;
  }

  async open(): Promise<OpenFile> {
    const place = this.#place;
    if ("bytes" in place) return new OpenMember(this.#entry, async (buffer, at) => copyInto(buffer, place.bytes, at));
    const handle = await open(place.path).catch((cause) => {
      throw readError(cause, place.path, "user");
    });
    const check = async () => {
      if (stampOf(await handle.stat({ bigint: true })) !== place.stamp) throw storageFault.changed(this.#entry.path);
    };
    const read = async (buffer: Uint8Array, at: number) => {
      const length = Math.max(0, Math.min(buffer.length, this.#entry.size - at));
      const { bytesRead } = await handle.read(buffer, 0, length, place.offset + at);
      await check();
      return bytesRead;
    };
    return new OpenMember(this.#entry, read, { check, close: () => handle.close() });
  }

  load(_path: string, limit: number): LoadedFile | undefined {
    if (!("bytes" in this.#place) || this.#place.bytes.length > limit) return undefined;
    return { entry: this.#entry, bytes: this.#place.bytes };
  }
}

/** What changes when a file does. */
export function stampOf({ size, mtimeNs, ino }: Pick<BigIntStats, "size" | "mtimeNs" | "ino">): string {
  return `${size} ${mtimeNs} ${ino}`;
}

class OpenMember implements OpenFile {
  readonly entry: StorageEntry;
  readonly hasGrown = false;
  readonly read: OpenFile["read"];
  readonly #file: Pick<OpenFile, "check" | "close"> | undefined;

  constructor(entry: StorageEntry, read: OpenFile["read"], file?: Pick<OpenFile, "check" | "close">) {
    this.entry = entry;
    this.read = read;
    this.#file = file;
  }

  async check(): Promise<void> {
    await this.#file?.check();
  }

  source(): undefined {
    return undefined;
  }

  holes(): readonly [] {
    return [];
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }
}

function copyInto(buffer: Uint8Array, bytes: Uint8Array, at: number): number {
  const part = bytes.subarray(at, at + buffer.length);
  buffer.set(part);
  return part.length;
}
