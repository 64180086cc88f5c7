import type { Client } from "../client.ts";

/**
 * Ask whether this client may change the repository: a transfer of no files, which stores nothing.
 *
 * @throws RemoteError NOT_ALLOWED; as Client.openStream()
 */
export async function requireWritable(client: Client, signal: AbortSignal): Promise<void> {
  const stream = client.openStream("put", {}, { body: true, signal });
  await stream.accepted;
  await stream.end();
  for await (const _ of stream.body());
}
