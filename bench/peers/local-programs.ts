import { join } from "node:path";
import { missingOf, type Peer, TREE } from "./peer.ts";

/** rsync between two folders of this machine: no server, no network. */
export const rsyncLocal: Peer = {
  name: "rsync, both local",
  can: ["syncTree"],
  missing: () => missingOf("rsync"),
  async open({ workspace: { served, target } }) {
    return {
      operations: { syncTree: () => ({ argv: ["rsync", "-a", `${join(target, TREE)}/`, `${join(served, TREE)}/`] }) },
      [Symbol.asyncDispose]: async () => {},
    };
  },
};

/** No server, no network: what reading and computing cost. */
export const sha256sum: Peer = {
  name: "sha256sum, local",
  can: ["digestTree"],
  missing: () => missingOf("find", "sha256sum"),
  async open({ workspace: { served } }) {
    return {
      operations: {
        digestTree: () => ({ argv: ["find", join(served, TREE), "-type", "f", "-exec", "sha256sum", "{}", "+"] }),
      },
      [Symbol.asyncDispose]: async () => {},
    };
  },
};
