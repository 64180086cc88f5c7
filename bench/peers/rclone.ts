import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../support/ports.ts";
import { Daemon } from "./daemon.ts";
import { FILE, INBOX, missingOf, type OpenPeer, type Peer, type PeerOptions, TREE } from "./peer.ts";

/**
 * rclone at both ends. HTTP can only be read. WebDAV could also be written, but waits 10 ms between requests, and its
 * FTP server is not in every package; so it sends over SFTP, which encrypts.
 */
export const rcloneHttp: Peer = {
  name: "rclone (HTTP)",
  can: ["getFile", "getTree", "discard"],
  missing: () => missingOf("rclone"),
  async open(options) {
    const { client, peer } = await openRclone("http", options, []);
    const { target } = options.workspace;
    const copy = (...args: string[]) => client("copy", "--http-url", `http://127.0.0.1:${peer.port}`, ...args);
    return {
      ...peer,
      operations: {
        getFile: () => copy(`:http:${FILE}`, target),
        getTree: () => copy(`:http:${TREE}`, join(target, TREE)),
        discard: (file) => client("cat", "--http-url", `http://127.0.0.1:${peer.port}`, `:http:${file}`),
      },
    };
  },
};

export const rcloneSftp: Peer = {
  name: "rclone (SFTP)",
  can: ["putFile", "putTree"],
  missing: () => missingOf("rclone"),
  async open(options) {
    const { served } = options.workspace;
    const password = crypto.randomUUID();
    const { client, peer } = await openRclone("sftp", options, ["--user", "bench", "--pass", password]);
    const obscured = Bun.spawnSync(["rclone", "obscure", password]).stdout.toString().trim();
    const login = ["--sftp-host", "127.0.0.1", "--sftp-port", String(peer.port)];
    const copy = (...args: string[]) =>
      client("copy", ...login, "--sftp-user", "bench", "--sftp-pass", obscured, ...args);
    return {
      ...peer,
      operations: {
        putFile: () => copy(join(served, FILE), `:sftp:${INBOX}`),
        putTree: () => copy(join(served, TREE), `:sftp:${INBOX}/${TREE}`),
      },
    };
  },
};

async function openRclone(protocol: string, { workspace }: PeerOptions, flags: readonly string[]) {
  const { served } = workspace;
  const home = workspace.newHome("rclone");
  const settings = join(home, "rclone.conf");
  writeFileSync(settings, "");
  const program = ["rclone", "--config", settings, "--cache-dir", join(home, "rclone-cache")];
  let control = "";
  const daemon = await Daemon.start(`rclone-${protocol}`, home, (port) => {
    control = `127.0.0.1:${freePort()}`;
    const serve = ["serve", protocol, served, "--addr", `127.0.0.1:${port}`, ...flags];
    return { argv: [...program, ...serve, "--rc", "--rc-no-auth", "--rc-addr", control] };
  });
  const peer: OpenPeer & { port: number } = {
    pid: daemon.pid,
    port: daemon.port,
    operations: {},
    // It caches its folders; this makes it read them again.
    async refresh() {
      const { ok, status } = await fetch(`http://${control}/vfs/forget`, { method: "POST" });
      if (!ok) throw new Error(`rclone's server does not look at its folders again: ${status}`);
    },
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
  return { peer, client: (...args: string[]) => ({ argv: [...program, ...args] }) };
}
