import { checkPath } from "../../path.ts";
import { RemoveParams } from "../../protocol/methods.ts";
import { defineMethod, type Question } from "../method.ts";

/** Remove a file or a folder from the repository. */
export const remove = defineMethod({
  name: "remove",
  role: "write",
  params: RemoveParams,
  async answer({ params, caller, server, signal }: Question<typeof RemoveParams, "storage" | "events">) {
    const { path, recursive } = params;
    await server.storage.remove(checkPath(path, caller.paths), { recursive, signal });
    server.events.emit({ event: "removed", name: caller.name, path });
    return {};
  },
});
