import { existsSync, writeFileSync } from "node:fs";
import type { Network } from "./netns.ts";
import { run } from "./processes.ts";
import { Program } from "./program.ts";
import { TempFolder } from "./temp-folder.ts";
import { until } from "./until.ts";

const DAEMON = "/usr/sbin/avahi-daemon";

/** What of Avahi is not installed here; undefined when all is there. */
export function missingAvahi(): string | undefined {
  const missing = [
    ...(existsSync(DAEMON) ? [] : ["avahi-daemon"]),
    ...["avahi-browse", "avahi-publish-service", "dbus-daemon"].filter((program) => Bun.which(program) === null),
  ];
  return missing.length === 0 ? undefined : `there is no ${missing.join(", ")}`;
}

/** The multicast DNS of most Linux systems, at the client's end of a network, with a bus of its own. */
export class Avahi implements AsyncDisposable {
  readonly #network: Network;
  readonly #folder = new TempFolder();
  readonly #programs: Program[] = [];

  private constructor(network: Network) {
    this.#network = network;
  }

  static async start(network: Network, host: string): Promise<Avahi> {
    const avahi = new Avahi(network);
    try {
      await avahi.#start(host);
      return avahi;
    } catch (error) {
      await avahi[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** One of Avahi's own programs, which prints each thing that it learns. */
  program(...command: string[]): Program {
    const program = new Program(this.#network.atClient(...command), { env: this.#env });
    this.#programs.push(program);
    return program;
  }

  /** The resolved services of a type, as `avahi-browse -p` prints them. */
  async browse(type: string): Promise<string[]> {
    const { stdout } = await run(this.#network.atClient("avahi-browse", "-rpt", type), { env: this.#env });
    return stdout.split("\n").filter((line) => line.startsWith("="));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs.reverse()) await program[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }

  get #env(): Record<string, string> {
    return { PATH: process.env["PATH"] ?? "", DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${this.#folder.join("bus")}` };
  }

  async #start(host: string): Promise<void> {
    const [bus, settings] = [this.#folder.join("bus.conf"), this.#folder.join("avahi.conf")];
    writeFileSync(bus, busConfig(this.#folder.join("bus")));
    writeFileSync(
      settings,
      `[server]\nhost-name=${host}\n[wide-area]\nenable-wide-area=no\n[publish]\npublish-workstation=no\n`,
    );
    this.program("dbus-daemon", `--config-file=${bus}`, "--nofork", "--nopidfile");
    await until(() => existsSync(this.#folder.join("bus")));
    // Its process id goes to /run, which is this program's own here.
    const start = `mount -t tmpfs none /run && exec ${DAEMON} -f ${settings} --no-drop-root --no-chroot --no-proc-title`;
    this.program("/bin/sh", "-c", start);
    await until(async () => {
      const { exitCode } = await run(this.#network.atClient("avahi-browse", "-t", "_none._tcp"), { env: this.#env });
      return exitCode === 0;
    });
  }
}

function busConfig(socket: string): string {
  return `<busconfig><type>system</type><listen>unix:path=${socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>`;
}
