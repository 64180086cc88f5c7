import { StreamError } from "../../errors.ts";
import { baseName, checkPath } from "../../path.ts";
import { IssueLinkParams, type IssueLinkResult } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import { LINK_MS } from "../access/link-store.ts";
import { defineMethod, type Question } from "../method.ts";

type Uses = "storage" | "links" | "tokens" | "events" | "clock";

/**
 * Make a link to one file in its present state: anyone who has the address gets the file over HTTP, without a token.
 */
export const issueLink = defineMethod({
  name: "issueLink",
  role: "operator",
  params: IssueLinkParams,
  async answer({ params, caller, server }: Question<typeof IssueLinkParams, Uses>) {
    const { storage, links, tokens, events, clock } = server;
    const path = checkPath(params.path, caller.paths);
    const { kind, etag } = await storage.stat(path);
    if (kind !== "file") throw new StreamError("NOT_A_FILE", `${quote(path)} is not a file: a link leads to one file.`);
    if (links.address("/") === undefined) {
      throw new StreamError("NOT_ALLOWED", "This server does not serve HTTP, so nobody could follow a link.");
    }
    const now = clock.wallTime();
    const { name, secret, expiresAt } = links.store.add({ path, etag }, now, params.expiresAt ?? now + LINK_MS);
    tokens.watchExpiry();
    events.emit({ event: "linked", name: caller.name, link: name, path, expiresAt });
    const url = links.address(`/link/${secret}/${encodeURIComponent(baseName(path))}`) ?? "";
    return { name, expiresAt, url } satisfies IssueLinkResult;
  },
});
