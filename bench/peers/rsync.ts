import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Daemon } from "./daemon.ts";
import { FILE, INBOX, missingOf, type Peer, TREE } from "./peer.ts";

const MODULE = "bench";

/** rsync and its daemon, into empty folders, so that it can't skip anything. */
export const rsync: Peer = {
  name: "rsync",
  can: ["getFile", "putFile", "getTree", "putTree", "list", "syncTree"],
  missing: () => missingOf("rsync"),
  async open({ workspace }) {
    const { served, target } = workspace;
    const home = workspace.newHome("rsync");
    const settings = join(home, "rsyncd.conf");
    const daemon = await Daemon.start("rsync", home, (port) => {
      writeFileSync(settings, settingsOf(served, home));
      const address = ["--address=127.0.0.1", `--port=${port}`];
      return { argv: ["rsync", "--daemon", "--no-detach", `--config=${settings}`, ...address] };
    });
    const remote = (path: string) => `rsync://127.0.0.1:${daemon.port}/${MODULE}/${path}`;
    const copy = (from: string, to: string) => ({ argv: ["rsync", "-r", from, to] });
    return {
      pid: daemon.pid,
      operations: {
        getFile: () => copy(remote(FILE), `${target}/`),
        putFile: () => copy(join(served, FILE), remote(`${INBOX}/`)),
        getTree: () => copy(remote(TREE), `${target}/`),
        putTree: () => copy(join(served, TREE), remote(`${INBOX}/`)),
        list: () => ({ argv: ["rsync", "-r", "--list-only", remote("")] }),
        syncTree: () => ({ argv: ["rsync", "-a", `${join(target, TREE)}/`, remote(`${TREE}/`)] }),
      },
      [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
    };
  },
};

/** If root starts it, it becomes the user "nobody", who may not write here. */
function settingsOf(served: string, home: string): string {
  const user = process.getuid?.() === 0 ? "uid = 0\ngid = 0\n" : "";
  return `use chroot = no
log file = ${home}/rsyncd.log
lock file = ${home}/rsyncd.lock
${user}[${MODULE}]
path = ${served}
read only = no
`;
}
