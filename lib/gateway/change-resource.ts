/** Methods that change the repository without a body. Source: RFC 9110, 9.3.5 (DELETE); RFC 4918, section 9. */
import { StreamError } from "../errors.ts";
import { parentOf } from "../path.ts";
import { quote } from "../quote.ts";
import type { GatewayParts } from "../server/parts.ts";
import { WEB_PUT_NEED } from "../server/transfer-needs.ts";
import type { StorageEntry } from "../storage/storage.ts";
import { storageFault } from "../storage-faults.ts";
import { copyAll } from "./copy-tree.ts";
import { type Destination, readDestination } from "./destination.ts";
import type { HttpCall } from "./http-call.ts";
import { HttpFault } from "./http-fault.ts";
import { entryAt, requireState } from "./present-state.ts";
import { FILES, type Target } from "./request-target.ts";

/** Remove a file, or a folder and everything in it. @throws StorageError as Storage.remove(); StreamError CHANGED */
export async function removeAt(call: HttpCall, path: string, server: GatewayParts): Promise<void> {
  const { storage, events, clock, turns } = server;
  await turns.run(path, async () => {
    if (path !== "") {
      const entry = await storage.stat(path);
      requireDeep(call, entry);
      requireState(call, path, entry, clock.wallTime());
    }
    await storage.remove(path, { recursive: true, signal: call.signal });
  });
  events.emit({ event: "removed", name: nameOf(call), path });
  call.reply(204, {});
}

/** Create a folder in an existing one. @throws StorageError as Storage.makeFolder(); HttpFault */
export async function makeFolder(call: HttpCall, path: string, server: GatewayParts): Promise<void> {
  const { storage } = server;
  const isThere = () => new HttpFault("EXISTS", `${quote(path)} exists.`, { status: 405 });
  if (path === "" || (await entryAt(path, server)) !== undefined) throw isThere();
  await requireFolder(parentOf(path), server);
  if (!(await storage.makeFolder(path))) throw isThere();
  call.reply(201, {});
}

/** Give a file or a folder another path. @throws StorageError as Storage.rename(); StreamError; HttpFault */
export async function moveTo(call: HttpCall, path: string, target: Target, server: GatewayParts): Promise<void> {
  const { storage, events, clock, turns } = server;
  const to = readDestination(call.request.headers, target, FILES);
  const isNew = await turns.runBoth(path, to.path, async () => {
    const entry = await storage.stat(path);
    requireDeep(call, entry);
    requireState(call, path, entry, clock.wallTime());
    const isFree = await requirePlace(path, to, server);
    await storage.rename(path, to.path, { overwrite: to.overwrite });
    return isFree;
  });
  events.emit({ event: "renamed", name: nameOf(call), from: path, to: to.path });
  call.reply(isNew ? 201 : 204, {});
}

/** Copy a file or a folder. @throws StorageError as Storage.open(), receive(); StreamError; HttpFault */
export async function copyTo(call: HttpCall, path: string, target: Target, server: GatewayParts): Promise<void> {
  const { storage, clock } = server;
  const { headers } = call.request;
  const depth = headers["depth"] ?? "infinity";
  if (depth !== "0" && depth !== "infinity") throw new StreamError("BAD_PARAMS", "Depth takes 0 or infinity.");
  const to = readDestination(headers, target, FILES);
  const entry = await storage.stat(path);
  requireState(call, path, entry, clock.wallTime());
  const isNew = await requirePlace(path, to, server);
  if (!isNew && entry.kind === "folder") throw storageFault.exists(to.path);
  await call.guest?.member.transfers.run(call, WEB_PUT_NEED, async (grant) => {
    grant.isAtWork = () => true;
    await copyAll(call, entry, { to, isDeep: depth === "infinity", name: nameOf(call) }, server);
    call.reply(isNew ? 201 : 204, {});
  });
}

/** A folder goes with everything in it (RFC 4918, 9.6.1 and 9.9.2). @throws StreamError BAD_PARAMS for another Depth */
function requireDeep({ request }: HttpCall, { kind }: StorageEntry): void {
  const { depth = "infinity" } = request.headers;
  if (kind === "folder" && depth !== "infinity") {
    throw new StreamError(
      "BAD_PARAMS",
      `${request.method} of a folder includes everything below it: Depth must be infinity.`,
    );
  }
}

/** @returns whether the place is free @throws StreamError CHANGED if it may not be replaced; NOT_ALLOWED; HttpFault */
async function requirePlace(
  from: string,
  { path: to, overwrite }: Destination,
  server: GatewayParts,
): Promise<boolean> {
  if (from === to || to.startsWith(`${from}/`) || from === "") {
    throw new StreamError("NOT_ALLOWED", `${quote(from)} can't go there: it would be inside itself.`);
  }
  const there = await entryAt(to, server);
  if (there !== undefined && !overwrite) {
    throw new HttpFault("EXISTS", `${quote(to)} exists.`, { status: 412 });
  }
  await requireFolder(parentOf(to), server);
  return there === undefined;
}

/** @throws HttpFault when it is not a folder (RFC 4918, 9.3.1: 409) */
async function requireFolder(path: string, server: GatewayParts): Promise<void> {
  const entry = path === "" ? { kind: "folder" } : await entryAt(path, server);
  if (entry?.kind === "folder") return;
  throw new HttpFault("NOT_FOUND", `There is no folder ${quote(path)} to put it into.`, { status: 409 });
}

function nameOf({ guest }: HttpCall): string {
  return guest?.member.name ?? "";
}
