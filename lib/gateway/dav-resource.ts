import { StreamError } from "../errors.ts";
import type { GatewayParts } from "../server/parts.ts";
import { LIST_NEED } from "../server/transfer-needs.ts";
import type { StorageEntry } from "../storage/storage.ts";
import { Yielder } from "../yielder.ts";
import { MULTISTATUS_END, MULTISTATUS_HEAD, propfindResponses, proppatchResponse } from "./dav-properties.ts";
import { MAX_DAV_BYTES, readPropfind, readProppatch } from "./dav-request.ts";
import type { HttpCall } from "./http-call.ts";
import { HttpFault } from "./http-fault.ts";
import { listTurn } from "./list-turn.ts";
import { RequestBody } from "./request-body.ts";

/** The fields for OPTIONS: class 1, that is, without locks. */
export const DAV_OPTIONS = { dav: "1", "ms-author-via": "DAV" };

/** Characters of an answer that are sent at once. */
const PIECE_CHARS = 64 * 1024;

const HEAD = { "content-type": "application/xml; charset=utf-8", "cache-control": "no-cache" };

/** Answer PROPFIND of a file or a folder. @throws StorageError as Storage.stat(), list(); StreamError; HttpFault */
export async function answerPropfind(call: HttpCall, path: string, server: GatewayParts): Promise<void> {
  const { storage, clock } = server;
  const depth = call.request.headers["depth"] ?? "infinity";
  if (depth !== "0" && depth !== "1") {
    // RFC 4918, 9.1: a server may refuse to list everything below a folder.
    throw new HttpFault("NOT_ALLOWED", "PROPFIND needs Depth 0 or 1.", { status: 403 });
  }
  const entry = await entryOf(path, server);
  const asked = readPropfind(await readText(call, server));
  const responseOf = propfindResponses(asked, { freeBytes: storage.freeBytes(), now: () => clock.wallTime() });
  const first = responseOf(entry);
  if (depth === "0" || entry.kind !== "folder") return reply(call, first);
  await listTurn(call, server);
  await call.guest?.member.lookups.run(call, LIST_NEED, async () => {
    const walk = storage.list(path, { enter: () => false })[Symbol.asyncIterator]();
    try {
      // Before the head, so that an unreadable folder gets an error answer.
      const step = await walk.next();
      call.head(207, HEAD);
      await call.write(MULTISTATUS_HEAD + first);
      await tellEach(call, walk, step, responseOf, server);
      await call.write(MULTISTATUS_END);
      call.response.end();
    } finally {
      await walk.return?.();
    }
  });
}

/** Answer PROPPATCH: properties are the facts of a file, and none can be set. @throws StorageError; StreamError */
export async function answerProppatch(call: HttpCall, path: string, server: GatewayParts): Promise<void> {
  const entry = await entryOf(path, server);
  reply(call, proppatchResponse(entry, readProppatch(await readText(call, server))));
}

async function tellEach(
  call: HttpCall,
  walk: AsyncIterator<StorageEntry[]>,
  first: IteratorResult<StorageEntry[]>,
  responseOf: (entry: StorageEntry) => string,
  { clock }: GatewayParts,
): Promise<void> {
  const yielder = new Yielder(clock);
  for (let step = first; !step.done && !call.isClosed; step = await walk.next()) {
    let text = "";
    for (const entry of step.value) {
      // Links and devices can't be fetched.
      if (entry.kind !== "file" && entry.kind !== "folder") continue;
      text += responseOf(entry);
      if (text.length < PIECE_CHARS) continue;
      await call.write(text);
      text = "";
    }
    await call.write(text);
    if (yielder.isDue) await yielder.pause();
  }
}

function reply(call: HttpCall, response: string): void {
  call.reply(207, HEAD, MULTISTATUS_HEAD + response + MULTISTATUS_END);
}

/** @throws StorageError as Storage.stat() */
async function entryOf(path: string, { storage, about }: GatewayParts): Promise<StorageEntry> {
  if (path !== "") return storage.stat(path);
  return { path, kind: "folder", size: 0, modifiedAt: about.startedAt, executable: false, etag: "" };
}

/** @throws HttpFault for a body that is too long; StreamError if it is not UTF-8; as RequestBody.fill() */
async function readText(call: HttpCall, { clock }: GatewayParts): Promise<string> {
  const body = new RequestBody(call, clock);
  try {
    const buffer = new Uint8Array(MAX_DAV_BYTES + 1);
    const bytes = await body.fill(buffer);
    if (bytes > MAX_DAV_BYTES) {
      throw new HttpFault("TOO_LARGE", `Such a body may have at most ${MAX_DAV_BYTES} bytes.`, { status: 413 });
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(buffer.subarray(0, bytes));
  } catch (thrown) {
    if (thrown instanceof TypeError) throw new StreamError("BAD_PARAMS", "The body is not UTF-8.");
    throw thrown;
  } finally {
    body.close();
  }
}
