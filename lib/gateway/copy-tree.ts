import { StreamError } from "../errors.ts";
import type { GatewayParts } from "../server/parts.ts";
import { type FileFacts, isSmall, type Storage, type StorageEntry } from "../storage/storage.ts";
import { readFully } from "../transfer/read-fully.ts";
import { writeBlocks } from "../transfer/write-blocks.ts";
import { Yielder } from "../yielder.ts";
import type { Destination } from "./destination.ts";
import type { HttpCall } from "./http-call.ts";

interface Copying {
  readonly to: Destination;
  /** Also copy everything below it. */
  readonly isDeep: boolean;
  /** The name of the session, for events. */
  readonly name: string;
}

/** Copy a file, or a folder. Links and devices are left out. @throws StorageError as Storage.open(), receive(), list() */
export async function copyAll(
  call: HttpCall,
  entry: StorageEntry,
  { to, isDeep, name }: Copying,
  server: GatewayParts,
): Promise<void> {
  const { storage, events, clock } = server;
  const copyOne = async (from: StorageEntry, path: string) => {
    requireWanted(call);
    if (from.kind === "folder") return void (await storage.makeFolder(path, from.mode));
    if (from.kind !== "file") return;
    await copyFile(call, from, path, to.overwrite, server);
    events.emit({ event: "stored", name, path, size: from.size });
  };
  await copyOne(entry, to.path);
  if (entry.kind !== "folder" || !isDeep) return;
  const yielder = new Yielder(clock);
  for await (const batch of storage.list(entry.path, { enter: () => true })) {
    for (const below of batch) {
      await copyOne(below, to.path + below.path.slice(entry.path.length));
      if (yielder.isDue) await yielder.pause();
    }
  }
}

async function copyFile(
  call: HttpCall,
  from: StorageEntry,
  path: string,
  overwrite: boolean,
  { storage, transfers, turns }: GatewayParts,
): Promise<void> {
  const file = await storage.open(from.path);
  const exists = overwrite ? "overwrite" : "fail";
  try {
    const { size, modifiedAt, executable, mode } = file.entry;
    const facts = { size, modifiedAt, executable, mode, etag: `copy-${crypto.randomUUID()}` };
    if (isSmall(facts)) {
      const buffer = transfers.buffers.take();
      try {
        const bytes = buffer.subarray(0, size);
        await readFully(file, bytes, 0);
        await turns.run(path, async () => storage.store(path, facts, exists, bytes));
      } finally {
        transfers.buffers.give(buffer);
      }
      return;
    }
    const part = await storage.receive(path, facts, exists);
    let at = 0;
    const readNext = async (buffer: Uint8Array) => {
      requireWanted(call);
      await readFully(file, buffer, at);
      at += buffer.length;
      return true;
    };
    try {
      await writeBlocks(part, readNext, { offset: 0, blocks: 1, ...transfers });
    } catch (thrown) {
      await part.discard();
      throw thrown;
    }
    try {
      await turns.run(path, () => part.commit());
    } catch (thrown) {
      await discardKept(path, facts, storage);
      throw thrown;
    }
  } finally {
    await file.close();
  }
}

/**
 * A failed commit keeps its part, but nobody can resume that of a copy. If it can't be removed now, upkeep removes it.
 */
async function discardKept(path: string, facts: FileFacts, storage: Storage): Promise<void> {
  try {
    await (await storage.receive(path, facts, "overwrite")).discard();
  } catch {
    // Its disk is gone or full: the answer says that already.
  }
}

/** @throws StreamError CANCELLED when nobody waits for the copy any more */
function requireWanted({ isClosed }: HttpCall): void {
  if (isClosed) throw new StreamError("CANCELLED", "The copy was cancelled before its end.");
}
