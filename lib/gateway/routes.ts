import { StreamError } from "../errors.ts";
import { joinPath } from "../path.ts";
import { quote } from "../quote.ts";
import { checkRights, type Rule } from "../server/guard.ts";
import type { Guest } from "../server/guests.ts";
import type { GatewayParts } from "../server/parts.ts";
import { answerArchive } from "./archive-resource.ts";
import { answerFile } from "./file-resource.ts";
import { answerFolder } from "./folder-resource.ts";
import type { HttpCall } from "./http-call.ts";
import { encodePath, repositoryPath, type Target } from "./request-target.ts";

/** The first name of every address in the repository. */
const FILES = "files";

const GET: Rule = { name: "get", role: "read" };

/**
 * Answer a request for what `target` names. There is an empty robots.txt: without one, `wget -r` says that it failed.
 *
 * @throws StorageError, StreamError
 */
export async function answerTarget(call: HttpCall, target: Target, guest: Guest, server: GatewayParts): Promise<void> {
  const [top = "", ...names] = target.names;
  if (top === "" && names.length === 0) return redirect(call, `/${FILES}/`);
  if (top === "robots.txt" && names.length === 0) return call.reply(200, { "content-type": "text/plain" });
  if (top !== FILES) throw new StreamError("NOT_FOUND", `There is nothing at ${quote(`/${target.names.join("/")}`)}.`);
  checkRights(GET, guest.member, server);
  const { path, isFolder } = repositoryPath(names);
  if (isFolder && target.names.length > 1) {
    const archive = target.query.get("archive");
    if (archive === null) return answerFolder(call, path, target.query.get("format"), server);
    if (archive === "tar") return answerArchive(call, path, server);
    throw new StreamError("BAD_PARAMS", "There is no such archive: ?archive= takes tar.");
  }
  const { kind } = path === "" ? { kind: "folder" } : await server.storage.stat(path);
  // The links of the page are relative: its address needs a slash at the end.
  if (kind === "folder") return redirect(call, `/${joinPath(FILES, encodePath(path))}/${queryOf(target)}`);
  await answerFile(call, path, target.query.get("etag"), server);
}

function queryOf({ query }: Target): string {
  return query.size === 0 ? "" : `?${query}`;
}

function redirect(call: HttpCall, location: string): void {
  call.reply(308, { location, "cache-control": "no-cache" });
}
