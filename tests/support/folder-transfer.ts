import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { BLOCK } from "./raw-chunks.ts";
import { TempFolder } from "./temp-folder.ts";
import { TestServer } from "./test-server.ts";
import { fetchAll, sendAll, type Told, type TransferChoice } from "./transfers.ts";

export type Method = "get" | "put";

/** One transfer between two folders of this machine. */
export async function move(
  method: Method,
  from: string,
  to: string,
  choice: TransferChoice = {},
  credit = BLOCK,
): Promise<Told> {
  // Little may be on its way, so that a change of the source happens before it was read to its end.
  const limits = { credit, maxStreams: 16 };
  const repository = await LocalStorage.at(method === "get" ? from : to);
  await using server = new TestServer({ storage: repository, limits });
  const client = await server.tcpClient();
  const local = await LocalStorage.ofUser(method === "get" ? to : from);
  try {
    return method === "get" ? await fetchAll(client, local, choice) : await sendAll(client, local, choice);
  } finally {
    await client.close();
  }
}

/** The source and the target of a transfer; the source has one file. */
export class Folders extends TempFolder {
  readonly from = this.join("from");
  readonly to = this.join("to");
  readonly file = this.join("from", "f");

  constructor(content?: Uint8Array) {
    super();
    for (const folder of [this.from, this.to]) mkdirSync(folder);
    if (content !== undefined) writeFileSync(this.file, content);
  }

  get names(): string[] {
    return readdirSync(this.to);
  }
}

/** `change`, done once, when the first bytes of a file have moved. */
export function atFirst(change: () => void): TransferChoice {
  let isDone = false;
  return {
    onProgress: () => {
      if (!isDone) change();
      isDone = true;
    },
  };
}
