import { MAILBOX_CAPABILITY } from "../protocol/constants.ts";
import { CollectResult } from "../protocol/methods.ts";
import type { Client } from "./client.ts";

/** Whether the server keeps messages for names that are not here. */
export function hasMailbox({ capabilities }: Pick<Client, "capabilities">): boolean {
  return capabilities.includes(MAILBOX_CAPABILITY);
}

/**
 * Have the messages pushed that are kept for the client's token; resolves when its `onMessage` has taken them.
 *
 * @throws CommError as every request
 */
export function collectKept(client: Pick<Client, "call">): Promise<CollectResult> {
  return client.call("collect", {}, CollectResult);
}
