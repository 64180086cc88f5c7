import { checkPath } from "../../path.ts";
import { StatParams, type StatResult } from "../../protocol/methods.ts";
import { defineMethod } from "../method.ts";

/** What is known of one path. */
export const stat = defineMethod({
  name: "stat",
  role: "read",
  params: StatParams,
  async handle({ params, stream, member, host }) {
    const found = await host.storage.stat(checkPath(params.path, member.paths));
    const { path, kind, size, modifiedAt, executable, mode, etag } = found;
    stream.accept({ path, kind, size, modifiedAt, executable, mode, etag } satisfies StatResult, { end: true });
  },
});
