import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Daemon } from "./daemon.ts";
import { FILE, missingOf, type Peer, TREE } from "./peer.ts";

/** sshd executes itself again for each connection, so it needs its absolute path. */
const SSHD = "/usr/sbin/sshd";
/** The chroot of its unprivileged part; without this folder it does not start. */
const PRIVILEGE_SEPARATION = "/run/sshd";

/** OpenSSH's sftp and its own sshd, with temporary keys and the default cipher. */
export const sftp: Peer = {
  name: "sftp",
  can: ["getFile", "putFile", "getTree", "putTree"],
  missing: () => missingOf(SSHD, "sftp", "ssh-keygen", "id"),
  async open({ workspace }) {
    const { served, inbox, target } = workspace;
    const home = workspace.newHome("sftp");
    if (process.getuid?.() === 0) mkdirSync(PRIVILEGE_SEPARATION, { recursive: true, mode: 0o755 });
    for (const name of ["host", "client"]) makeKey(join(home, name));
    const daemon = await Daemon.start("sshd", home, (port) => {
      writeFileSync(join(home, "sshd_config"), settingsOf(home, port));
      return { argv: [SSHD, "-D", "-e", "-f", join(home, "sshd_config")] };
    });
    const options = {
      StrictHostKeyChecking: "no",
      UserKnownHostsFile: "/dev/null",
      GlobalKnownHostsFile: "/dev/null",
      IdentitiesOnly: "yes",
      BatchMode: "yes",
      LogLevel: "ERROR",
    };
    const flags = [
      ...["-q", "-F", "none", "-P", String(daemon.port), "-i", join(home, "client")],
      ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
    ];
    const batch = (name: string, line: string) => {
      const file = join(home, name);
      writeFileSync(file, `${line}\n`);
      return { argv: ["sftp", ...flags, "-b", file, `${userName()}@127.0.0.1`] };
    };
    return {
      pid: daemon.pid,
      operations: {
        getFile: () => batch("get-file", `get ${join(served, FILE)} ${join(target, FILE)}`),
        putFile: () => batch("put-file", `put ${join(served, FILE)} ${join(inbox, FILE)}`),
        getTree: () => batch("get-tree", `get -r ${join(served, TREE)} ${target}`),
        putTree: () => batch("put-tree", `put -r ${join(served, TREE)} ${inbox}`),
      },
      [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
    };
  },
};

/** Not from os.userInfo(), which only reads the environment. */
function userName(): string {
  return Bun.spawnSync(["id", "-un"]).stdout.toString().trim();
}

function makeKey(path: string): void {
  const { exitCode, stderr } = Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path]);
  if (exitCode !== 0) throw new Error(`ssh-keygen can't make a key: ${stderr}`);
}

function settingsOf(home: string, port: number): string {
  return `ListenAddress 127.0.0.1
Port ${port}
HostKey ${home}/host
AuthorizedKeysFile ${home}/client.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
`;
}
