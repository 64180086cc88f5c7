import { join } from "node:path";
import { FILE, missingOf, type Peer, TREE } from "./peer.ts";

/** No server, no network, one process: the limit of the machine. */
export const cp: Peer = {
  name: "cp (the limit)",
  can: ["getFile", "putFile", "getTree", "putTree"],
  missing: () => missingOf("cp"),
  async open({ workspace: { served, inbox, target } }) {
    const copy = (name: string, to: string) => ({ argv: ["cp", "-r", join(served, name), to] });
    return {
      operations: {
        getFile: () => copy(FILE, target),
        putFile: () => copy(FILE, inbox),
        getTree: () => copy(TREE, target),
        putTree: () => copy(TREE, inbox),
      },
      [Symbol.asyncDispose]: async () => {},
    };
  },
};
