import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { until } from "../../tests/support/until.ts";
import { endFamily, launch } from "../support/family.ts";
import { FILE, INBOX, type OpenPeer, type Operations, type Peer, type PeerOptions, TREE } from "./peer.ts";

/** Ours, without encryption, as rsync's daemon and plain HTTP are. */
export const commserver: Peer = {
  name: "commserver",
  ours: true,
  can: ["getFile", "putFile", "getTree", "putTree", "discard", "list"],
  missing: () => [],
  open: openCommserver,
};

/** An open peer whose address others may use as well. */
export interface OpenCommserver extends OpenPeer {
  readonly pid: number;
  readonly port: number;
  readonly operations: Operations;
}

export async function openCommserver(options: PeerOptions): Promise<OpenCommserver> {
  const { workspace, programs } = options;
  const { served, target } = workspace;
  const { child, port } = await startServer(options);
  const client = (...args: string[]) => ({
    argv: [programs.client, ...args, "--server", `127.0.0.1:${port}`, "--plaintext"],
  });
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
    },
    [Symbol.asyncDispose]: () => endFamily(child),
  };
}

/** Its events go to a file: read through a pipe they would cost the machine time beside what is measured. */
async function startServer({
  workspace,
  programs,
  writable,
  clients,
}: PeerOptions): Promise<{ child: Subprocess; port: number }> {
  const { served } = workspace;
  const home = workspace.newHome("commserver");
  const log = join(home, "events");
  const errors = join(home, "errors");
  const [output, complaints] = [openSync(log, "w"), openSync(errors, "w")];
  const argv = [
    programs.server,
    ...["--repository", served, "--host", "127.0.0.1", "--port", "0", "--state-dir", join(home, "state")],
    ...["--json", "--plaintext", "--open", "--max-clients", String(clients)],
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
  return { child, port: JSON.parse(line).port };
}
