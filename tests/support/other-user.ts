import { chmodSync, chownSync, copyFileSync } from "node:fs";
import { binaries } from "./binaries.ts";
import { type Finished, run, ServerProcess } from "./processes.ts";
import { TempFolder } from "./temp-folder.ts";

/** The compiled programs, run by an unprivileged user. Only root can do that: see permissionTest(). */
export class OtherUser implements Disposable {
  readonly #programs = new TempFolder();
  readonly #id: number;

  private constructor(id: number) {
    this.#id = id;
  }

  /** `id`: that of the user and of the group, which need not exist. */
  static async of(id: number): Promise<OtherUser> {
    const user = new OtherUser(id);
    chmodSync(user.#programs.path, 0o755);
    for (const [name, program] of Object.entries(await binaries())) {
      const copy = user.#programs.join(name);
      copyFileSync(program, copy);
      chmodSync(copy, 0o755);
    }
    return user;
  }

  #command(program: "client" | "server"): string[] {
    const id = String(this.#id);
    return ["setpriv", "--reuid", id, "--regid", id, "--clear-groups", this.#programs.join(program)];
  }

  /** Run a program to its end. */
  run(
    program: "client" | "server",
    args: string[],
    options: { cwd?: string; env?: Record<string, string> } = {},
  ): Promise<Finished> {
    return run([...this.#command(program), ...args], { cwd: "/", env: {}, ...options });
  }

  startServer(args: string[], options: { stateDir: string; env: Record<string, string> }): Promise<ServerProcess> {
    return ServerProcess.start(args, { ...options, cwd: "/", program: this.#command("server") });
  }

  /** Give it a file or folder. */
  own(path: string): void {
    chownSync(path, this.#id, this.#id);
  }

  [Symbol.dispose](): void {
    this.#programs[Symbol.dispose]();
  }
}
