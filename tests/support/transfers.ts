import { Client } from "../../lib/client/client.ts";
import type { ClientOptions } from "../../lib/client/client-options.ts";
import { Connection, type ConnectionOptions } from "../../lib/client/connection.ts";
import { Download } from "../../lib/client/download.ts";
import type { TransferItem, TransferOptions, UploadItem } from "../../lib/client/transfer.ts";
import { Upload } from "../../lib/client/upload.ts";
import type { CommError } from "../../lib/errors.ts";
import type { Entry } from "../../lib/protocol/methods.ts";
import { type Clock, systemClock } from "../../lib/session/clock.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { connect } from "../../lib/transport/socket.ts";
import { readWhole, walk } from "./repository.ts";

/** A clock on which no wait takes longer than a turn: for backoffs and retries. */
export const hastyClock: Clock = {
  ...systemClock,
  after: (_, action) => systemClock.after(0, action),
};

/** The events of a transfer. */
export class Told {
  readonly done: { path: string; outcome: string }[] = [];
  readonly failed: { path: string; code: string; message: string }[] = [];
  readonly restarts: string[] = [];
  /** Bytes of blocks, from onProgress(). */
  bytes = 0;

  /** The paths that are there now. */
  get paths(): string[] {
    return this.done.map(({ path }) => path).sort();
  }

  get codes(): string[] {
    return this.failed.map(({ code }) => code);
  }
}

export type TransferChoice = Partial<TransferOptions<any>>;

function optionsOf(told: Told, choice: TransferChoice): TransferOptions<any> {
  return {
    exists: "overwrite",
    clock: hastyClock,
    digest64,
    onProgress: (_: TransferItem, bytes: number) => {
      told.bytes += bytes;
    },
    onRestart: (item: TransferItem) => told.restarts.push(item.from),
    onDone: (_: TransferItem, outcome: string, path: string) => told.done.push({ path, outcome }),
    onFailed: (item: TransferItem, { code, message }: CommError) =>
      told.failed.push({ path: item.from, code, message }),
    ...choice,
  };
}

/** Everything that the server lists, or only `paths`. */
export function remoteItems(paths?: readonly string[]): (client: Client) => AsyncGenerator<TransferItem[], void> {
  return async function* (client) {
    if (paths === undefined) {
      for await (const entries of client.listBatches()) yield entries.flatMap((entry) => itemOf(entry));
      return;
    }
    for (const path of paths) yield itemOf(await client.stat(path));
  };
}

/** A whole local tree, or only `paths`, to be stored under the same paths. */
export async function* localItems(local: Storage, paths?: readonly string[]): AsyncGenerator<UploadItem[], void> {
  const entries =
    paths === undefined ? (await walk(local)).entries : await Promise.all(paths.map((path) => local.stat(path)));
  yield entries.flatMap((entry) => itemOf(entry).map((item) => ({ ...item, local })));
}

function itemOf({ path, kind, size, modifiedAt }: Entry): TransferItem[] {
  return kind === "file" || kind === "folder" ? [{ from: path, to: path, kind, size, modifiedAt }] : [];
}

/** Runs the transfer: a client once, or a connection until it is done. */
type Carrier = Client | Connection;

function carry(carrier: Carrier, work: (client: Client) => Promise<void>): Promise<void> {
  return carrier instanceof Connection ? carrier.persist(work) : work(carrier);
}

/** Fetch all of the server's tree, or `paths`, into `local`. */
export async function fetchAll(
  carrier: Carrier,
  local: Storage,
  choice: TransferChoice & {
    paths?: readonly string[];
    items?: (client: Client) => AsyncGenerator<TransferItem[], void>;
    told?: Told;
  } = {},
): Promise<Told> {
  const { paths, items = remoteItems(paths), told = new Told(), ...rest } = choice;
  const download = new Download(items, { local, ...optionsOf(told, rest) });
  try {
    await carry(carrier, (client) => download.run(client));
  } finally {
    await download.close();
  }
  return told;
}

/** Send all of `local`, or `paths` of it, to the server. */
export async function sendAll(
  carrier: Carrier,
  local: Storage,
  choice: TransferChoice & { paths?: readonly string[]; told?: Told } = {},
): Promise<Told> {
  const { paths, told = new Told(), ...rest } = choice;
  const upload = new Upload(localItems(local, paths), optionsOf(told, rest));
  try {
    await carry(carrier, (client) => upload.run(client));
  } finally {
    await upload.close();
  }
  return told;
}

/** A client over TCP at that port. */
export async function clientAt(port: number, options: Partial<ClientOptions> = {}): Promise<Client> {
  const transport = await connect({ kind: "tcp", host: "127.0.0.1", port }, { timeoutMs: 20_000 });
  return Client.connect({
    transport,
    clock: systemClock,
    agent: "test-client",
    wait: false,
    timeoutMs: 20_000,
    ...options,
  });
}

/** A connection to that port that comes back without waiting. */
export function connectionAt(port: number, options: Partial<ConnectionOptions> = {}): Promise<Connection> {
  return Connection.open({
    clock: hastyClock,
    reconnectMs: 600_000,
    random: () => 0,
    connect: (resume) => clientAt(port, { resume }),
    ...options,
  });
}

/** Path and SHA-256 of each file; folders have "". */
export async function digestsOf(storage: Storage): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const { path, kind } of (await walk(storage)).entries) {
    digests[path] = kind === "file" ? sha256Of(await readWhole(storage, path, 1024 * 1024)) : "";
  }
  return digests;
}

export function sha256Of(content: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(content).digest("hex");
}
