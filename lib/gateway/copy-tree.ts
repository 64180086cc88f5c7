import { StreamError } from "../errors.ts";
import type { GatewayParts } from "../server/parts.ts";
import { isSmall, type OpenFile, type StorageEntry } from "../storage/storage.ts";
import { storageFault } from "../storage-faults.ts";
import { BlockWriter } from "../transfer/block-writer.ts";
import { Yielder } from "../yielder.ts";
import type { Destination } from "./destination.ts";
import type { HttpCall } from "./http-call.ts";

interface Copying {
  readonly to: Destination;
  /** With all that is below it. */
  readonly isDeep: boolean;
  /** Whose copy it is, for events. */
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
    if (call.isClosed) throw new StreamError("CANCELLED", "The copy was given up before its end.");
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
  { storage, transfers }: GatewayParts,
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
        await storage.store(path, facts, exists, bytes);
      } finally {
        transfers.buffers.give(buffer);
      }
      return;
    }
    const part = await storage.receive(path, facts, exists);
    const writer = new BlockWriter(part, { blocks: 1, ...transfers });
    try {
      let at = 0;
      await writer.run(0, async (buffer) => {
        if (call.isClosed) throw new StreamError("CANCELLED", "The copy was given up before its end.");
        await readFully(file, buffer, at);
        at += buffer.length;
        return true;
      });
      await part.commit();
    } catch (thrown) {
      await writer.close();
      await part.discard();
      throw thrown;
    } finally {
      await writer.close();
    }
  } finally {
    await file.close();
  }
}

/** @throws StorageError as OpenFile.read(); CHANGED at an end that comes too early */
async function readFully(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const read = await file.read(bytes.subarray(at), position + at);
    if (read === 0) throw storageFault.changed(file.entry.path);
    at += read;
  }
}
