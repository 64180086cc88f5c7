/**
 * Many clients in one process: download-probe PORT. Takes {"clients":N,"path":PATH} on standard input, connects N clients,
 * lets all of them fetch PATH at once and throw it away, and answers with the seconds to the end of the first and the last.
 */

import { plainOutput, StreamStorage } from "../../lib/cli/client/stream-storage.ts";
import { Client } from "../../lib/client/client.ts";
import { Download } from "../../lib/client/download.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import { connect } from "../../lib/transport/socket.ts";

const TIMEOUT_MS = 10_000;
const port = Number(process.argv[2]);

for await (const line of console) {
  if (line === "") break; // the end of the input
  const { clients: count, path } = JSON.parse(line) as { clients: number; path: string };
  const clients = await Promise.all(Array.from({ length: count }, connectOne));
  const startedAt = performance.now();
  const seconds = await Promise.all(
    clients.map(async (client) => {
      await fetchOne(client, path);
      return (performance.now() - startedAt) / 1000;
    }),
  );
  await Promise.all(clients.map((client) => client.close()));
  console.log(JSON.stringify({ fastest: Math.min(...seconds), slowest: Math.max(...seconds) }));
}

async function connectOne(): Promise<Client> {
  return Client.connect({
    transport: await connect({ kind: "tcp", host: "127.0.0.1", port }, { timeoutMs: TIMEOUT_MS }),
    clock: systemClock,
    agent: "download-probe",
    wait: false,
    timeoutMs: TIMEOUT_MS,
  });
}

async function fetchOne(client: Client, path: string): Promise<void> {
  const { size, modifiedAt } = await client.stat(path);
  const download = new Download(
    async function* () {
      yield [{ from: path, to: path, kind: "file" as const, size, modifiedAt }];
    },
    {
      local: new StreamStorage(plainOutput({ out: async () => {} })),
      exists: "fail",
      clock: systemClock,
      digest64,
      onDone() {},
      onFailed(_, error) {
        throw error;
      },
    },
  );
  await download.run(client);
}
