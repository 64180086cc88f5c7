import { checkPath } from "../../path.ts";
import { StatParams, type StatResult } from "../../protocol/methods.ts";
import { defineMethod, type Question } from "../method.ts";

/** The facts of one path. */
export const stat = defineMethod({
  name: "stat",
  role: "read",
  params: StatParams,
  async answer({ params, caller, server: { storage } }: Question<typeof StatParams, "storage">) {
    const found = await storage.stat(checkPath(params.path, caller.paths));
    const { path, kind, size, modifiedAt, executable, mode, etag } = found;
    return { path, kind, size, modifiedAt, executable, mode, etag } satisfies StatResult;
  },
});
