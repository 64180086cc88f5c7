import Negotiator from "negotiator";
import { StreamError } from "../errors.ts";
import { baseName } from "../path.ts";
import type { GatewayParts } from "../server/parts.ts";
import { LIST_NEED } from "../server/transfer-needs.ts";
import type { StorageEntry } from "../storage/storage.ts";
import { Yielder } from "../yielder.ts";
import { tagOf } from "./entity-tag.ts";
import { PAGE_POLICY, pageEnd, pageHead, pageRow } from "./folder-page.ts";
import type { HttpCall } from "./http-call.ts";
import { listTurn } from "./list-turn.ts";

/** The format of a folder's list. */
interface FolderFormat {
  readonly type: string;
  readonly policy?: string;
  head(path: string): string;
  /** `index`: the number of entries before this one; `now`: in milliseconds since 1970. */
  entry(entry: StorageEntry, index: number, now: number): string;
  end(leftOut: number): string;
}

const FORMATS: Readonly<Record<"html" | "json" | "ndjson", FolderFormat>> = {
  html: { type: "text/html; charset=utf-8", policy: PAGE_POLICY, head: pageHead, entry: pageRow, end: pageEnd },
  json: {
    type: "application/json",
    head: (path) => `{"path":${JSON.stringify(path)},"entries":[`,
    entry: (entry, index, now) => `${index === 0 ? "" : ","}\n${JSON.stringify(recordOf(entry, now))}`,
    end: (leftOut) => `\n],"leftOut":${leftOut}}\n`,
  },
  ndjson: {
    type: "application/x-ndjson",
    head: () => "",
    entry: (entry, _, now) => `${JSON.stringify(recordOf(entry, now))}\n`,
    end: () => "",
  },
};

type FormatName = keyof typeof FORMATS;

/** Answer GET and HEAD for a folder. @throws StorageError as Storage.list(); StreamError BAD_PARAMS */
export async function answerFolder(
  call: HttpCall,
  path: string,
  format: string | null,
  server: GatewayParts,
): Promise<void> {
  const { storage, clock } = server;
  const { type, policy, head, entry: tell, end } = FORMATS[formatOf(call, format)];
  const headers = {
    "content-type": type,
    "cache-control": "no-cache",
    vary: "Accept",
    ...(policy !== undefined && { "content-security-policy": policy }),
  };
  await listTurn(call, server);
  await call.guest?.member.lookups.run(call, LIST_NEED, async () => {
    const skipped = { count: 0 };
    const walk = storage.list(path, { enter: () => false, skipped })[Symbol.asyncIterator]();
    try {
      // Before the head, so that a missing folder gets an error, and not a page that breaks off.
      let step = await walk.next();
      call.head(200, headers);
      if (call.isHead) return void call.response.end();
      let text = head(path);
      const yielder = new Yielder(clock);
      let count = 0;
      for (; !step.done && !call.isClosed; step = await walk.next()) {
        for (const entry of step.value) text += tell(entry, count++, clock.wallTime());
        await call.write(text);
        text = "";
        if (yielder.isDue) await yielder.pause();
      }
      await call.write(text + end(skipped.count));
      call.response.end();
    } finally {
      await walk.return?.();
    }
  });
}

/** @throws StreamError BAD_PARAMS */
function formatOf(call: HttpCall, asked: string | null): FormatName {
  if (asked !== null) {
    if (Object.hasOwn(FORMATS, asked)) return asked as FormatName;
    throw new StreamError("BAD_PARAMS", `There is no such format: ?format= takes ${Object.keys(FORMATS).join(", ")}.`);
  }
  const types = Object.values(FORMATS).map(({ type }) => type.replace(/;.*/, ""));
  const index = types.indexOf(new Negotiator(call.request).mediaType(types) ?? "");
  return (Object.keys(FORMATS)[index] as FormatName | undefined) ?? "html";
}

function recordOf(entry: StorageEntry, now: number): object {
  const { path, kind, size, modifiedAt } = entry;
  const name = baseName(path);
  return kind === "file" ? { name, kind, size, modifiedAt, etag: tagOf(entry, now) } : { name, kind };
}
