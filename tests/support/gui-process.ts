import { type Subprocess, spawn } from "bun";
import { binaries } from "./binaries.ts";
import { USER_ENV } from "./processes.ts";

/** A running `commserver-client gui`, whose link is for a test's browser. */
export class GuiProcess implements AsyncDisposable {
  readonly #child: Subprocess<"ignore", "pipe", "pipe">;
  readonly url: string;

  private constructor(child: Subprocess<"ignore", "pipe", "pipe">, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(server: string, cwd: string, ...args: string[]): Promise<GuiProcess> {
    const { client } = await binaries();
    const child = spawn([client, "gui", "--json", "--server", server, ...args], {
      cwd,
      env: USER_ENV,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const { value } = await child.stdout.getReader().read();
    if (value === undefined) throw new Error(`gui has ended: ${await new Response(child.stderr).text()}`);
    return new GuiProcess(child, JSON.parse(new TextDecoder().decode(value)).url);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  get exited(): Promise<number> {
    return this.#child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}
