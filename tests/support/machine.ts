import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Finished, run } from "./processes.ts";
import { TempFolder } from "./temp-folder.ts";
import { until } from "./until.ts";

const SCRIPT = join(import.meta.dir, "machine.sh");
const PATH = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Who types at the machine: root at its console, or somebody at a laptop, which a cable connects to it. */
export type Seat = "server" | "laptop";

/** What a new machine gets: somebody's laptop, and `sudo`, which not every machine has. */
const FURNISH = `
cat > /usr/local/bin/sudo <<'END'
#!/bin/sh
if [ "$1" = -u ]; then user=$2; shift 2; exec runuser -u "$user" -- "$@"; fi
exec "$@"
END
chmod +x /usr/local/bin/sudo
echo 'APT::Get::Assume-Yes "true";' > /etc/apt/apt.conf.d/yes
useradd --create-home --shell /bin/bash laptop
ip link set lo up
ip netns add laptop
ip link add cable type veth peer name cable netns laptop
ip address add 10.84.0.1/24 dev cable
ip link set cable up
ip -n laptop address add 10.84.0.2/24 dev cable
ip -n laptop link set cable up
ip -n laptop link set lo up
`;

/** A machine of the test's own, where systemd runs: packages are installed, services started, and nothing of it stays. */
export class Machine implements AsyncDisposable {
  readonly #folder: TempFolder;
  readonly #outside: Bun.Subprocess<"ignore", "pipe", "inherit">;
  readonly #first: number;

  private constructor(folder: TempFolder, outside: Bun.Subprocess<"ignore", "pipe", "inherit">, first: number) {
    this.#folder = folder;
    this.#outside = outside;
    this.#first = first;
  }

  static async boot(): Promise<Machine> {
    const folder = new TempFolder();
    mkdirSync(folder.join("shared"));
    const outside = Bun.spawn(["sh", SCRIPT, folder.path], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
    const { value } = await outside.stdout.getReader().read();
    const parent = Number(Buffer.from(value ?? []).toString());
    // The first process of the machine, once it has its root.
    const first = await until(() => {
      const [child] = childrenOf(parent);
      return child !== undefined && nameOf(child) === "systemd" && child;
    });
    const machine = new Machine(folder, outside, first);
    await until(async () => {
      const { stdout } = await machine.run("systemctl is-system-running --wait");
      return ["running\n", "degraded\n"].includes(stdout);
    });
    const furnished = await machine.run(FURNISH);
    if (furnished.exitCode !== 0) throw new Error(furnished.stderr);
    return machine;
  }

  /** The command that runs another in the machine, in an empty environment. */
  at(seat: Seat, ...command: string[]): string[] {
    const home = seat === "server" ? "/root" : "/home/laptop";
    const env = ["env", "-i", `PATH=${PATH}`, `HOME=${home}`, "TERM=xterm-256color", "LANG=C.UTF-8"];
    const away = seat === "server" ? [] : ["ip", "netns", "exec", "laptop", "runuser", "-u", "laptop", "--"];
    return [
      ...["nsenter", "--target", `${this.#first}`, "--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup", "--root"],
      ...["env", "-i", `PATH=${PATH}`, ...away, ...env, "sh", "-c", `cd ${home} && exec "$@"`, "sh", ...command],
    ];
  }

  /** Run lines of a shell to their end. `stderr` comes with `stdout` when it is `merged`. */
  run(lines: string, { seat = "server", merged = false }: { seat?: Seat; merged?: boolean } = {}): Promise<Finished> {
    return run(this.at(seat, "sh", "-c", merged ? `exec 2>&1\n${lines}` : lines));
  }

  /** The place of a file of the machine for this process. */
  file(path: string): string {
    return `/proc/${this.#first}/root${path}`;
  }

  /** A folder that the machine has as /shared. */
  get shared(): string {
    return this.#folder.join("shared");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#outside.kill("SIGTERM");
    await this.#outside.exited;
    this.#folder[Symbol.dispose]();
  }
}

/** Why there can be no such machine here; undefined if there can. */
export function missingMachine(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "not Linux on x64";
  if (process.getuid?.() !== 0) return "not root";
  if (!existsSync("/lib/systemd/systemd")) return "there is no systemd";
  const tools = ["unshare", "nsenter", "ip", "apt", "dpkg-deb", "zstd", "curl", "openssl", "rclone", "man"];
  const missing = tools.filter((tool) => Bun.which(tool, { PATH }) === null);
  if (missing.length > 0) return `without ${missing.join(", ")}`;
  const { success } = Bun.spawnSync(["unshare", "--mount", "--net", "--pid", "--cgroup", "--fork", "true"]);
  return success ? undefined : "no namespaces can be made here";
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
}

function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
}
