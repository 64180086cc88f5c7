import { MAX_FILE_BYTES } from "../block.ts";
import { StreamError } from "../errors.ts";
import { checkPath } from "../path.ts";
import type { GatewayParts } from "../server/parts.ts";
import { WEB_PUT_NEED, webPutBlocks } from "../server/transfer-needs.ts";
import { type FileFacts, isSmall } from "../storage/storage.ts";
import { writeBlocks } from "../transfer/write-blocks.ts";
import type { HttpCall } from "./http-call.ts";
import { HttpFault } from "./http-fault.ts";
import { entryAt, replacedAt } from "./present-state.ts";
import { RequestBody } from "./request-body.ts";
import { encodePath, FILES } from "./request-target.ts";
import { idOf, placeOf, readMetadata, TUS_VERSION, type TusUpload, uploadOf } from "./tus-upload.ts";
import { timeOfSeconds } from "./upload-fields.ts";
import { newPartTag, nextByte, wrongOffset } from "./upload-part.ts";

const NOTHING = new Uint8Array(0);

/** The fields for OPTIONS. Source: tus 1.0.0, "Core protocol" and the extensions named. */
export const TUS_OPTIONS = {
  "tus-resumable": TUS_VERSION,
  "tus-version": TUS_VERSION,
  "tus-extension": "creation,termination",
  "tus-max-size": `${MAX_FILE_BYTES}`,
};

/** Begin an upload: POST. All that can be checked is checked here. @throws as putFile() */
export async function beginUpload(
  call: HttpCall,
  { path: target, isFolder }: { path: string; isFolder: boolean },
  server: GatewayParts,
): Promise<void> {
  speakTus(call);
  const { headers } = call.request;
  const metadata = readMetadata(fieldOf(headers["upload-metadata"]));
  const path = checkPath(placeOf(target, isFolder, metadata));
  const length = fieldOf(headers["upload-length"]);
  if (length === undefined || !/^\d{1,16}$/.test(length)) {
    throw new StreamError("BAD_PARAMS", "Upload-Length must be the size of the file in bytes.");
  }
  await replacedAt(path, server);
  const modifiedAt = timeOfSeconds(metadata.get("mtime") ?? "") ?? server.clock.wallTime();
  const upload = { size: Number(length), modifiedAt, etag: newPartTag(modifiedAt) };
  await call.guest?.member.transfers.run(call, WEB_PUT_NEED, async () => {
    const { storage } = server;
    // A small file comes in one piece, and leaves no part before; an empty one has no piece.
    if (upload.size === 0) {
      await commitAt(call, path, upload, server, () => storage.store(path, factsOf(upload), "overwrite", NOTHING));
    } else if (isSmall(upload)) await storage.place(path, upload, "overwrite");
    else await (await storage.receive(path, factsOf(upload), "overwrite")).keep();
    const location = `/${FILES}/${encodePath(path)}?upload=${idOf(upload)}`;
    call.reply(201, { location, "upload-offset": "0" });
  });
}

/** Report how much has arrived: HEAD. @throws StreamError NOT_FOUND */
export async function tellUpload(call: HttpCall, path: string, id: string | null, server: GatewayParts): Promise<void> {
  speakTus(call);
  const upload = uploadOf(id);
  const offset = await offsetOf(path, upload, server);
  call.reply(200, { "upload-offset": `${offset}`, "upload-length": `${upload.size}`, "cache-control": "no-store" });
}

/** Continue it: PATCH. @throws as putFile() */
export async function goOnWith(call: HttpCall, path: string, id: string | null, server: GatewayParts): Promise<void> {
  speakTus(call);
  const { headers } = call.request;
  if (headers["content-type"] !== "application/offset+octet-stream") {
    const words = "A piece of an upload has the type application/offset+octet-stream.";
    throw new HttpFault("BAD_PARAMS", words, { status: 415 });
  }
  const upload = uploadOf(id);
  const told = fieldOf(headers["upload-offset"]) ?? "";
  if (!/^\d{1,16}$/.test(told)) throw new StreamError("BAD_PARAMS", "Upload-Offset must be a number.");
  requireOffset(path, Number(told), await offsetOf(path, upload, server));
  const body = new RequestBody(call, server.clock);
  try {
    await call.guest?.member.transfers.run(call, WEB_PUT_NEED, async (grant) => {
      let isAtWork = false;
      grant.isAtWork = () => isAtWork;
      const piece: Piece = {
        path,
        upload,
        offset: Number(told),
        body,
        blocks: webPutBlocks(grant.bytes),
        commit: async (commit) => {
          await body.requireEnd();
          isAtWork = true;
          await commitAt(call, path, upload, server, commit);
        },
      };
      const offset = isSmall(upload) ? await takeWhole(piece, server) : await takePiece(piece, server);
      call.reply(204, { "upload-offset": `${offset}` });
    });
  } finally {
    body.close();
  }
}

/** Cancel it: DELETE. @throws StreamError NOT_FOUND; as Storage.receive() */
export async function endUpload(call: HttpCall, path: string, id: string | null, server: GatewayParts): Promise<void> {
  speakTus(call);
  const upload = uploadOf(id);
  const offset = await offsetOf(path, upload, server);
  if (offset === upload.size) throw new StreamError("NOT_FOUND", "The upload has ended, and its file is stored.");
  if (!isSmall(upload)) {
    await (await server.storage.receive(path, factsOf(upload), "overwrite")).discard();
  }
  call.reply(204, {});
}

async function commitAt(
  call: HttpCall,
  path: string,
  { size }: TusUpload,
  { turns, events }: GatewayParts,
  commit: () => string | Promise<string>,
): Promise<void> {
  await turns.run(path, async () => {
    await commit();
    events.emit({ event: "stored", name: call.guest?.member.name ?? "", path, size });
  });
}

interface Piece {
  readonly path: string;
  readonly upload: TusUpload;
  readonly offset: number;
  readonly body: RequestBody;
  readonly blocks: number;
  commit(commit: () => string | Promise<string>): Promise<void>;
}

/** @returns the bytes that have arrived */
async function takeWhole({ path, upload, body, commit }: Piece, { storage, transfers }: GatewayParts): Promise<number> {
  const buffer = transfers.buffers.take();
  try {
    const bytes = buffer.subarray(0, upload.size);
    if ((await body.fill(bytes)) < upload.size) {
      throw new StreamError("BAD_PARAMS", "A file of up to 1 MiB must come in one piece.");
    }
    // It was stored when the upload began.
    if (upload.size === 0) await body.requireEnd();
    else await commit(() => storage.store(path, factsOf(upload), "overwrite", bytes));
    return upload.size;
  } finally {
    transfers.buffers.give(buffer);
  }
}

/** Bytes beyond the last whole block are not kept, as the answer says. @returns the bytes that have arrived */
async function takePiece(piece: Piece, { storage, transfers }: GatewayParts): Promise<number> {
  const { path, upload, offset, body, blocks, commit } = piece;
  const part = await storage.receive(path, factsOf(upload), "overwrite");
  try {
    requireOffset(path, offset, nextByte(part.missing, upload.size));
    const fill = async (buffer: Uint8Array) => (await body.fill(buffer)) === buffer.length;
    await writeBlocks(part, fill, { offset, blocks, ...transfers });
    const have = part.missing[0]?.[0] ?? upload.size;
    if (have === upload.size) await commit(() => part.commit());
    else if (have === offset) throw new StreamError("BAD_PARAMS", "A piece must have at least 1 MiB, or be the last.");
    return have;
  } finally {
    await part.keep();
  }
}

/** @throws StreamError NOT_FOUND */
async function offsetOf(path: string, upload: TusUpload, server: GatewayParts): Promise<number> {
  const { size, modifiedAt, etag } = upload;
  // Nothing is kept of a small file, and a file of its size and time may be a different one. So its one piece may
  // always come, even again.
  if (isSmall(upload)) return 0;
  const there = await entryAt(path, server);
  const isStored = there?.kind === "file" && there.size === size && there.modifiedAt === modifiedAt;
  // A time that no file has, so that a present file of this size is not taken for this one.
  const placement = await server.storage.place(path, { size, modifiedAt: Number.MIN_SAFE_INTEGER }, "overwrite");
  const resume = placement.outcome === "vacant" ? placement.resume : undefined;
  if (resume?.etag === etag) return nextByte(resume.missing, size);
  if (isStored) return size;
  throw new StreamError("NOT_FOUND", "This upload no longer exists.");
}

function requireOffset(path: string, told: number, have: number): void {
  if (told !== have) throw wrongOffset(path, have);
}

function factsOf({ size, modifiedAt, etag }: TusUpload): FileFacts {
  return { size, modifiedAt, executable: false, etag };
}

/** @throws HttpFault for another version. No page of another site can send this field: CORS is off. */
function speakTus({ request, response }: HttpCall): void {
  response.setHeader("tus-resumable", TUS_VERSION);
  if (request.headers["tus-resumable"] === TUS_VERSION) return;
  const words = `Uploads in pieces use tus ${TUS_VERSION}: Tus-Resumable is needed.`;
  throw new HttpFault("BAD_PARAMS", words, { status: 412, headers: { "tus-version": TUS_VERSION } });
}

function fieldOf(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
