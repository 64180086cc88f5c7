import { checkPath } from "../../path.ts";
import { RemoveParams } from "../../protocol/methods.ts";
import { defineMethod } from "../method.ts";

/** Take a file or a folder out of the repository. */
export const remove = defineMethod({
  name: "remove",
  role: "write",
  params: RemoveParams,
  async handle({ params, stream, member, host }) {
    const { path, recursive } = params;
    await host.storage.remove(checkPath(path, member.paths), { recursive, signal: stream.signal });
    host.events.emit({ event: "removed", name: member.name, path });
    stream.accept({}, { end: true });
  },
});
