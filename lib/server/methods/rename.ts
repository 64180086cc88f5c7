import { checkPath } from "../../path.ts";
import { RenameParams } from "../../protocol/methods.ts";
import { defineMethod, type Question } from "../method.ts";

/** Give a file or a folder another path in the repository. */
export const rename = defineMethod({
  name: "rename",
  role: "write",
  params: RenameParams,
  async answer({ params, caller, server }: Question<typeof RenameParams, "storage" | "events">) {
    const { from, to, overwrite } = params;
    for (const path of [from, to]) checkPath(path, caller.paths);
    await server.storage.rename(from, to, { overwrite });
    server.events.emit({ event: "renamed", name: caller.name, from, to });
    return {};
  },
});
