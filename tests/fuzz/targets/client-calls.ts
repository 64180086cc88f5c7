import type { Client } from "../../../lib/client/client.ts";
import { Download } from "../../../lib/client/download.ts";
import type { UploadItem } from "../../../lib/client/transfer.ts";
import { Upload } from "../../../lib/client/upload.ts";
import type { Clock } from "../../../lib/session/clock.ts";
import { digest64 } from "../../../lib/storage/digest64.ts";
import { filled } from "../conversation.ts";
import type { CountedStorage } from "./counted-storage.ts";

const LARGE = 1_048_576 + 10;
const ITEMS = [
  { from: "docs/a.txt", to: "a.txt", kind: "file" as const, size: 3, modifiedAt: 1_700_000_000_000 },
  { from: "big.bin", to: "deep/big.bin", kind: "file" as const, size: LARGE, modifiedAt: 1_700_000_000_000 },
];

export interface CallContext {
  readonly client: Client;
  readonly clock: Clock;
  readonly local: CountedStorage;
}

/** What "! call …" asks a client under test for. */
export const CALLS: Readonly<Record<string, (context: CallContext) => Promise<unknown>>> = {
  status: ({ client }) => client.status(),
  stat: ({ client }) => client.stat("docs/a.txt"),
  digest: ({ client }) => client.digest("docs/a.txt"),
  remove: ({ client }) => client.remove("docs", true),
  rename: ({ client }) => client.rename("a", "b", false),
  send: ({ client }) => client.send("hello"),
  ping: ({ client }) => client.ping(),
  list: ({ client }) => drain(client.list("docs")),
  /** As a `get` lists. */
  entries: ({ client }) => drain(client.listBatches("docs", undefined, { maxEntries: 10_000 })),
  watch: ({ client }) => drain(client.watch()),
  get: async ({ client, clock, local }) => {
    const told = { onDone: () => {}, onFailed: () => {} };
    const items = async function* () {
      yield ITEMS;
    };
    const download = new Download(items, { local, exists: "overwrite", clock, digest64, ...told });
    try {
      await download.run(client);
    } finally {
      await download.close();
    }
  },
  put: async ({ client, clock, local }) => {
    local.set("docs/a.txt", filled(3), ITEMS[0]?.modifiedAt);
    local.set("big.bin", filled(LARGE), ITEMS[1]?.modifiedAt);
    const items = async function* (): AsyncGenerator<UploadItem[]> {
      yield ITEMS.map((item) => ({ ...item, local }));
    };
    const upload = new Upload(items(), { exists: "rename", clock, digest64, onDone: () => {}, onFailed: () => {} });
    try {
      await upload.run(client);
    } finally {
      await upload.close();
    }
  },
};

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}
