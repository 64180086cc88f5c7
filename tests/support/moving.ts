import { BLOCK_BYTES } from "../../lib/block.ts";
import { Client } from "../../lib/client/client.ts";
import { Download } from "../../lib/client/download.ts";
import type { DownloadOptions } from "../../lib/client/download-options.ts";
import type { TransferItem, TransferOptions, UploadItem } from "../../lib/client/transfer.ts";
import { Upload } from "../../lib/client/upload.ts";
import type { CommError } from "../../lib/errors.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import type { FakeFile } from "./fake-file.ts";
import { Meddler, type MeddlerOptions } from "./meddler.ts";
import { readWhole, walk } from "./repository.ts";
import { TestServer } from "./test-server.ts";
import { noise } from "./transport-recorder.ts";

/** A client of `server` behind a meddler. */
export async function meddledClient(
  server: TestServer,
  options: MeddlerOptions = {},
): Promise<{ client: Client; link: Meddler }> {
  const [ours, theirs] = memoryPair();
  server.server.accept(ours, "write");
  const link = new Meddler(theirs, options);
  const agent = "test-client";
  return {
    client: await Client.connect({ transport: link, clock: systemClock, agent, wait: false, timeoutMs: 5_000 }),
    link,
  };
}

/** The events of a transfer. */
export class Told {
  /** `stored docs/a`, `EXISTS docs/b`, in the order of the events. */
  readonly outcomes: string[] = [];
  readonly failures: CommError[] = [];
  readonly restarts: string[] = [];
  readonly starts: [path: string, present: number][] = [];
  progress = 0;
  reused = 0;

  get sorted(): string[] {
    return this.outcomes.toSorted();
  }

  get events(): Pick<TransferOptions, "onDone" | "onFailed" | "onRestart" | "onStart" | "onProgress"> {
    return {
      onDone: (item, outcome, path) =>
        this.outcomes.push(path === item.to ? `${outcome} ${path}` : `${outcome} ${item.to} as ${path}`),
      onFailed: (item, error) => {
        this.outcomes.push(`${error.code} ${item.to}`);
        this.failures.push(error);
      },
      onRestart: (item) => this.restarts.push(item.to),
      onStart: (item, present) => this.starts.push([item.to, present]),
      onProgress: (_, bytes, reused) => {
        this.progress += bytes;
        this.reused += reused;
      },
    };
  }
}

/** Everything that the server has, as items of a download. */
export async function* everything(client: Client): AsyncGenerator<TransferItem> {
  for await (const { path, kind, size, modifiedAt } of client.list()) {
    if (kind === "file" || kind === "folder") yield { from: path, to: path, kind, size, modifiedAt };
  }
}

/** Everything that a tree has, as items of an upload. */
export async function* everythingOf(local: Storage): AsyncGenerator<UploadItem> {
  const { entries } = await walk(local);
  for (const { path, kind, size, modifiedAt } of entries) {
    if (kind === "file" || kind === "folder") yield { from: path, to: path, kind, size, modifiedAt, local };
  }
}

/** Items that are opened as the test wants. */
export async function* opening(items: Record<string, () => FakeFile>): AsyncGenerator<UploadItem> {
  for (const [path, make] of Object.entries(items)) {
    const { size, modifiedAt } = make().entry;
    yield {
      from: path,
      to: path,
      kind: "file",
      size,
      modifiedAt,
      local: { open: async () => make(), load: () => undefined },
    };
  }
}

export interface Moved<T> {
  readonly server: TestServer;
  readonly local: MemoryStorage;
  readonly told: Told;
  readonly transfer: T;
  [Symbol.asyncDispose](): Promise<void>;
}

function moving<T>(make: (local: MemoryStorage, told: Told) => T): Moved<T> {
  const server = new TestServer();
  const local = new MemoryStorage();
  const told = new Told();
  const transfer = make(local, told);
  return { server, local, told, transfer, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** In batches, as in lists: of one, of two, of three. */
async function* batches<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item[]> {
  let batch: Item[] = [];
  let size = 1;
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
    size = (size % 3) + 1;
  }
  if (batch.length > 0) yield batch;
}

const COMMON = { exists: "fail", clock: systemClock, digest64 } as const;

/** A download of everything that the server has, into memory. */
export function downloading(options: Partial<DownloadOptions> & { source?: typeof everything } = {}): Moved<Download> {
  const { source = everything, ...rest } = options;
  return moving(
    (local, told) => new Download((client) => batches(source(client)), { ...COMMON, local, ...told.events, ...rest }),
  );
}

/** An upload of everything that is in memory. */
export function uploading(
  options: Partial<TransferOptions<UploadItem>> & { source?: typeof everythingOf } = {},
): Moved<Upload> {
  const { source = everythingOf, ...rest } = options;
  return moving((local, told) => new Upload(batches(source(local)), { ...COMMON, ...told.events, ...rest }));
}

/** The files of a tree with their content, for comparison. */
export async function contentOf(storage: Storage): Promise<Record<string, string>> {
  const { entries } = await walk(storage);
  const content: Record<string, string> = {};
  for (const { path, kind, modifiedAt, executable } of entries) {
    if (kind !== "file") content[path] = kind;
    else content[path] = `${modifiedAt} ${executable} ${Bun.hash.xxHash3(await readWhole(storage, path, 1_048_576))}`;
  }
  return content;
}

/** Sizes of files, on both sides of each limit. */
export const SIZES = [
  0,
  1,
  65_536,
  65_537,
  BLOCK_BYTES - 1,
  BLOCK_BYTES,
  BLOCK_BYTES + 1,
  3 * BLOCK_BYTES,
  5 * BLOCK_BYTES + 7,
];

/** A tree with files of all sizes, some executable, and empty folders. */
export async function fillAllSizes(storage: MemoryStorage): Promise<void> {
  for (const [at, size] of SIZES.entries()) {
    storage.set(`docs/${at % 3}/file-${size}`, noise(size, at + 1), 1_600_000_000_000 + at, at % 2 === 0);
  }
  for (let at = 0; at < 200; at++) storage.set(`many/${at}`, noise(at * 7, at + 1), at);
  await storage.makeFolder("empty/deeper");
}
