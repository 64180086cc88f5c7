import type { OutgoingHttpHeaders } from "node:http";
import { StorageError, StreamError } from "../errors.ts";
import { joinPath } from "../path.ts";
import { quote } from "../quote.ts";
import { checkRights, type Rule } from "../server/guard.ts";
import type { Guest } from "../server/guests.ts";
import { get } from "../server/methods/get.ts";
import { list } from "../server/methods/list.ts";
import { put } from "../server/methods/put.ts";
import { remove } from "../server/methods/remove.ts";
import { rename } from "../server/methods/rename.ts";
import type { GatewayParts } from "../server/parts.ts";
import { ARCHIVES } from "./archive-format.ts";
import { type ArchiveParts, answerArchive } from "./archive-resource.ts";
import { copyTo, makeFolder, moveTo, removeAt } from "./change-resource.ts";
import { Checksums } from "./checksums.ts";
import { answerPropfind, answerProppatch, DAV_OPTIONS } from "./dav-resource.ts";
import { answerFile } from "./file-resource.ts";
import { answerFolder } from "./folder-resource.ts";
import type { HttpCall } from "./http-call.ts";
import { answerMetalink } from "./metalink.ts";
import { putFile } from "./put-resource.ts";
import { encodePath, FILES, repositoryPath, type Target } from "./request-target.ts";
import { shownTarget } from "./shown-target.ts";
import { beginUpload, endUpload, goOnWith, TUS_OPTIONS, tellUpload } from "./tus-resource.ts";

/** The place in the repository that a request names. */
interface Place {
  readonly path: string;
  /** True if it was written with a trailing slash. */
  readonly isFolder: boolean;
  readonly target: Target;
}

interface Route {
  /** The protocol's method whose role and rate apply. */
  readonly rule: Rule;
  /** Whether a request may have a body. */
  readonly takesBody: boolean;
  answer(call: HttpCall, place: Place, server: ArchiveParts): Promise<void>;
}

/** As `put`, but not for sessions that only drop files: these tell what is there. */
const change: Rule = { ...put, forDrop: false };

const read: Route = { rule: get, takesBody: false, answer: answerRead };

/** Methods that change nothing. */
const READING: Readonly<Record<string, Route>> = {
  GET: read,
  HEAD: read,
  PROPFIND: {
    rule: list,
    takesBody: true,
    answer: (call, { path }, server) => answerPropfind(call, path, server),
  },
};

/** Methods that change the repository. */
const WRITING: Readonly<Record<string, Route>> = {
  PUT: { rule: put, takesBody: true, answer: answerPut },
  POST: { rule: put, takesBody: false, answer: beginUpload },
  PATCH: { rule: put, takesBody: true, answer: refusePatch },
  PROPPATCH: { rule: change, takesBody: true, answer: (call, { path }, server) => answerProppatch(call, path, server) },
  DELETE: { rule: remove, takesBody: false, answer: (call, { path }, server) => removeAt(call, path, server) },
  MKCOL: { rule: change, takesBody: false, answer: (call, { path }, server) => makeFolder(call, path, server) },
  MOVE: {
    rule: rename,
    takesBody: false,
    answer: (call, { path, target }, server) => moveTo(call, path, target, server),
  },
  COPY: {
    rule: change,
    takesBody: false,
    answer: (call, { path, target }, server) => copyTo(call, path, target, server),
  },
};

/** Methods for an upload in pieces, at the address from the answer to its POST: `?upload=`. */
const UPLOADING: Readonly<Record<string, Route>> = {
  HEAD: {
    rule: put,
    takesBody: false,
    answer: (call, { path, target }, server) => tellUpload(call, path, target.query.get("upload"), server),
  },
  PATCH: {
    rule: put,
    takesBody: true,
    answer: (call, { path, target }, server) => goOnWith(call, path, target.query.get("upload"), server),
  },
  DELETE: {
    rule: put,
    takesBody: false,
    answer: (call, { path, target }, server) => endUpload(call, path, target.query.get("upload"), server),
  },
};

/** The table of methods, and the dispatch of requests. */
export class Routes {
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #mayWrite: boolean;
  readonly #server: GatewayParts;
  /** The checksums of the files that each client may see. */
  readonly #checksums = new WeakMap<GatewayParts, Checksums>();

  constructor({ mayWrite, server }: { mayWrite: boolean; server: GatewayParts }) {
    this.#mayWrite = mayWrite;
    this.#server = server;
    this.#routes = new Map(Object.entries(mayWrite ? { ...READING, ...WRITING } : READING));
  }

  /** The value of Allow. */
  get allowed(): string {
    return [...this.#routes.keys(), "OPTIONS"].join(", ");
  }

  /** The fields for OPTIONS. */
  get options(): OutgoingHttpHeaders {
    return { allow: this.allowed, ...DAV_OPTIONS, ...(this.#mayWrite && TUS_OPTIONS) };
  }

  has(method: string): boolean {
    return method === "OPTIONS" || this.#routes.has(method);
  }

  takesBody(method: string): boolean {
    return this.#routes.get(method)?.takesBody === true;
  }

  /** Whether a request of this method has more bytes than its answer. */
  isUpload(method: string): boolean {
    return method === "PUT" || method === "PATCH";
  }

  /** The protocol's method whose rules apply, for events. */
  ruleOf(method: string): string {
    return this.#routes.get(method)?.rule.name ?? read.rule.name;
  }

  /**
   * Answer a request for what `target` names. There is an empty robots.txt: without one, `wget -r` says that it failed.
   *
   * @throws StorageError, StreamError
   */
  async answer(call: HttpCall, target: Target, guest: Guest): Promise<void> {
    const { method = "" } = call.request;
    const uploading = this.#mayWrite && target.query.has("upload") ? UPLOADING[method] : undefined;
    const route = uploading ?? this.#routes.get(method) ?? read;
    const [top = "", ...names] = target.names;
    if (route === read && top === "" && names.length === 0) return redirect(call, `/${FILES}/`);
    if (route === read && top === "robots.txt" && names.length === 0) {
      return call.reply(200, { "content-type": "text/plain" });
    }
    if (top !== FILES)
      throw new StreamError("NOT_FOUND", `There is nothing at ${quote(shownTarget(`/${target.names.join("/")}`))}.`);
    checkRights(route.rule, guest.member, this.#server);
    await route.answer(call, { ...repositoryPath(names), target }, await this.#partsFor(guest));
  }

  async #partsFor({ member }: Guest): Promise<ArchiveParts> {
    const parts = await this.#server.partsFor(member);
    const checksums = this.#checksums.get(parts) ?? new Checksums();
    this.#checksums.set(parts, checksums);
    return { ...parts, checksums };
  }
}

async function answerRead(call: HttpCall, { path, isFolder, target }: Place, server: ArchiveParts): Promise<void> {
  if (isFolder && target.names.length > 1) {
    const archive = target.query.get("archive");
    if (archive === null) return answerFolder(call, path, target.query.get("format"), server);
    const format = Object.hasOwn(ARCHIVES, archive) ? ARCHIVES[archive] : undefined;
    if (format !== undefined) return answerArchive(call, path, format, server);
    throw new StreamError(
      "BAD_PARAMS",
      `There is no such archive: ?archive= takes ${Object.keys(ARCHIVES).join(", ")}.`,
    );
  }
  // The links of the page are relative: its address needs a slash at the end.
  const toPage = () => redirect(call, `/${joinPath(FILES, encodePath(path))}/${queryOf(target)}`);
  if (path === "") return toPage();
  if (target.query.has("metalink")) {
    if (await isFolderAt(path, server)) return toPage();
    return answerMetalink(call, path, target.authority ?? call.request.headers.host ?? "localhost", server);
  }
  try {
    await answerFile(call, path, target.query.get("etag"), server);
  } catch (thrown) {
    // Only now, since most addresses are those of files.
    const isNoFile = thrown instanceof StorageError && thrown.code === "NOT_A_FILE" && !call.response.headersSent;
    if (isNoFile && (await isFolderAt(path, server))) return toPage();
    throw thrown;
  }
}

async function isFolderAt(path: string, { storage }: GatewayParts): Promise<boolean> {
  return (await storage.stat(path)).kind === "folder";
}

async function refusePatch(): Promise<void> {
  throw new StreamError("BAD_PARAMS", "PATCH needs the address of an upload, from the answer to POST.");
}

async function answerPut(call: HttpCall, { path, isFolder }: Place, server: GatewayParts): Promise<void> {
  if (isFolder) throw new StreamError("NOT_A_FILE", "PUT needs the address of a file, without a slash at its end.");
  await putFile(call, path, server);
}

function queryOf({ query }: Target): string {
  return query.size === 0 ? "" : `?${query}`;
}

function redirect(call: HttpCall, location: string): void {
  call.reply(308, { location, "cache-control": "no-cache" });
}
