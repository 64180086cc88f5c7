import { checkPath } from "../../path.ts";
import { RenameParams } from "../../protocol/methods.ts";
import { defineMethod } from "../method.ts";

/** Give a file or a folder another path in the repository. */
export const rename = defineMethod({
  name: "rename",
  role: "write",
  params: RenameParams,
  async handle({ params, stream, member, host }) {
    const { from, to, overwrite } = params;
    for (const path of [from, to]) checkPath(path, member.paths);
    await host.storage.rename(from, to, { overwrite });
    host.events.emit({ event: "renamed", name: member.name, from, to });
    stream.accept({}, { end: true });
  },
});
