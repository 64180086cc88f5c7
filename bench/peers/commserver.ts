import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { until } from "../../tests/support/until.ts";
import { endFamily, launch } from "../support/family.ts";
import { FILE, INBOX, type OpenPeer, type Operations, type Peer, type PeerOptions, TREE } from "./peer.ts";

const CAN = ["getFile", "putFile", "getTree", "putTree", "discard", "list", "syncTree", "digestTree"] as const;

/** Ours without encryption, like rsync's daemon and plain HTTP. */
export const commserver: Peer = {
  name: "commserver",
  ours: true,
  can: CAN,
  missing: () => [],
  open: openCommserver,
};

/** Ours without any flags. */
export const commserverTls: Peer = {
  name: "commserver TLS 1.3",
  ours: true,
  can: CAN,
  missing: () => [],
  open: (options) => openCommserver({ ...options, isEncrypted: true }),
};

interface CommserverOptions extends PeerOptions {
  readonly isEncrypted?: boolean;
  /** What HTTP may do; absent: nothing. */
  readonly web?: "read" | "on";
}

/** An open peer whose address others may use, too. */
export interface OpenCommserver extends OpenPeer {
  readonly pid: number;
  readonly port: number;
  readonly operations: Operations;
}

export async function openCommserver(options: CommserverOptions): Promise<OpenCommserver> {
  const { workspace, programs } = options;
  const { served, target } = workspace;
  const { child, port, inviteFile } = await startServer(options);
  const access = ["--invite-file", inviteFile, ...(options.isEncrypted ? [] : ["--plaintext"])];
  const client = (...args: string[]) => ({ argv: [programs.client, ...args, ...access] });
  return {
    pid: child.pid,
    port,
    operations: {
      getFile: () => client("get", FILE, "--output", join(target, FILE)),
      putFile: () => client("put", join(served, FILE), "--to", INBOX),
      getTree: () => client("get", TREE, "--output", target),
      putTree: () => client("put", join(served, TREE), "--to", INBOX),
      discard: (file) => client("get", file, "--output", "-"),
      list: () => client("list"),
      syncTree: () => client("sync", join(target, TREE), `:${TREE}`),
      digestTree: () => client("digest", TREE),
    },
    [Symbol.asyncDispose]: () => endFamily(child),
  };
}

/** Its events go to a file: reading them through a pipe would cost processor time during the measurement. */
export async function startServer({
  workspace,
  programs,
  writable,
  clients,
  isEncrypted = false,
  web,
}: CommserverOptions): Promise<{ child: Subprocess; port: number; inviteFile: string; stateDir: string }> {
  const { served } = workspace;
  const home = workspace.newHome("commserver");
  const log = join(home, "events");
  const errors = join(home, "errors");
  const [output, complaints] = [openSync(log, "w"), openSync(errors, "w")];
  const stateDir = join(home, "state");
  const argv = [
    programs.server,
    ...["--repository", served, "--host", "127.0.0.1", "--port", "0", "--state-dir", stateDir],
    ...["--json", "--max-clients", String(clients), "--max-per-address", String(clients)],
    // Probes have no token.
    ...(isEncrypted ? [] : ["--plaintext", "--open", "--max-messages", "1000000"]),
    ...(isEncrypted && web !== undefined ? ["--open"] : []),
    ...(web === undefined ? [] : ["--web", web]),
    ...(writable ? ["--writable"] : []),
  ];
  const child = launch({ argv }, { home, stdout: output, stderr: complaints });
  closeSync(output);
  closeSync(complaints);
  const line = await until(async () => {
    if (child.exitCode !== null) {
      const said = (await Bun.file(errors).text()).trim();
      throw new Error(`the server ended with ${child.exitCode} before it listened: ${said}`);
    }
    const [first, rest] = (await Bun.file(log).text()).split("\n", 2);
    return rest === undefined ? undefined : first;
  });
  const { port, invite } = JSON.parse(line);
  const inviteFile = join(home, "invite");
  writeFileSync(inviteFile, invite, { mode: 0o600 });
  return { child, port, inviteFile, stateDir };
}
