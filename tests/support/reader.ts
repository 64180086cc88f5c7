import { expect } from "bun:test";
import type { Machine, Seat } from "./machine.ts";
import { Screen } from "./screen.ts";
import { type Block, commandsOf, outputPattern } from "./shown-examples.ts";

/** Commands that start a server, which runs until another is started. */
const SERVES = /^commserver-server(?! (?:console|token|invite|identity|config|completions)\b)/;
/** Commands that start the service, in place of a server in a terminal. */
const STARTS_SERVICE = /systemctl (?:enable|start)/;
const PROMPT = "server> ";

/** What a page shows once and every reader replaces: an invite, a code, a pin, the name and secret of a token. */
const LEARNT = {
  "csinvite1_…": /csinvite1_[\w-]{20,}/,
  "sha256//…": /sha256\/\/[\w+/]{40,}=*/,
  "385-061-7726 --server …": /\d{3}-\d{3}-\d{4} --server \S+/,
  "link/…": /link\/[\w-]{20,}/,
  "NAME:SECRET": /^ +(\w+:[\w-]{40,})$/m,
} as const;

/** Somebody who types at a machine what a page shows. */
export class Reader implements AsyncDisposable {
  readonly #machine: Machine;
  readonly #values = new Map<string, string>();
  #server: { readonly screen: Screen; readonly command: string } | undefined;

  /** @param values what the reader puts in for words of the page, such as `HOST` */
  constructor(machine: Machine, values: Readonly<Record<string, string>> = {}) {
    this.#machine = machine;
    for (const [word, value] of Object.entries(values)) this.#values.set(word, value);
  }

  /** Type the commands of a `console` block one by one, and compare what they print with what is shown. */
  async compare(block: Block, before: (command: string) => Promise<void> = async () => {}): Promise<void> {
    for (const { prompt, command, output } of commandsOf(block)) {
      await before(command);
      const printed = await this.#type(command, prompt === "laptop" ? "laptop" : "server");
      expect(`$ ${command}\n${printed.trim()}`).toMatch(outputPattern(`$ ${command}\n${output}`));
    }
  }

  /** Run the lines of an `sh` block but those that `skips` knows: each must succeed. */
  async run(block: Block, skips: (line: string) => boolean): Promise<void> {
    const lines = block.text.split("\n").filter((line) => line !== "" && !skips(line));
    const script: string[] = [];
    for (const line of lines) {
      if (SERVES.test(line)) await this.serve(line);
      else script.push(line);
      if (STARTS_SERVICE.test(line)) await this.stop();
    }
    // Settings of a line hold for the next ones.
    const { stdout, exitCode } = await this.#machine.run(`set -ex\n${this.#filled(script.join("\n"))}`, {
      merged: true,
    });
    expect({ lines, stdout, exitCode }).toMatchObject({ exitCode: 0 });
    this.#learn(stdout);
  }

  /** Start a server in a terminal, in place of the one before. */
  async serve(command: string): Promise<string> {
    await this.stop();
    await this.#machine.run("systemctl stop commserver");
    // Slow enough to be killed in the middle of a download.
    const shell = this.#machine.at("server", "sh", "-c", `export COMMSERVER_LIMIT_RATE=20MB; exec ${command}`);
    const screen = new Screen(shell, { cwd: "/", cols: 400, rows: 100 });
    this.#server = { screen, command };
    const ended = screen.exited.then((code) => Promise.reject(new Error(`${command} ended: ${code} ${screen.text}`)));
    await Promise.race([screen.prompts(PROMPT), ended]);
    ended.catch(() => {});
    this.#learn(screen.text);
    return screen.text.slice(0, -PROMPT.length);
  }

  /** Stop the server in the terminal as with Ctrl-C. */
  async stop(): Promise<void> {
    const screen = this.#server?.screen;
    this.#server = undefined;
    screen?.type("\x03");
    await screen?.shows("Stop the server?");
    screen?.type("\x03");
    await screen?.exited;
    await screen?.[Symbol.asyncDispose]();
  }

  /** Kill the server in the terminal as soon as this shell condition holds; `again()` starts it as before. */
  async killWhen(condition: string): Promise<{ again(): Promise<void> }> {
    const { screen, command } = this.#server ?? {};
    if (screen === undefined || command === undefined) throw new Error("no server runs");
    this.#server = undefined;
    const killed = this.#machine.run(`until ${condition}; do sleep 0.01; done; pkill -KILL -x commserver-serv`);
    return {
      again: async () => {
        await killed;
        await screen[Symbol.asyncDispose]();
        await this.serve(command);
      },
    };
  }

  async #type(command: string, seat: Seat): Promise<string> {
    if (SERVES.test(command)) return this.serve(command);
    if (STARTS_SERVICE.test(command)) await this.stop();
    const { stdout } = await this.#machine.run(this.#filled(command), { seat, merged: true });
    this.#learn(stdout);
    return stdout.replaceAll("\r", "");
  }

  #learn(text: string): void {
    for (const [word, pattern] of Object.entries(LEARNT)) {
      const found = pattern.exec(text);
      if (found !== null) this.#values.set(word, found[1] ?? found[0]);
    }
  }

  #filled(text: string): string {
    const [name = "", secret = ""] = this.#values.get("NAME:SECRET")?.split(":") ?? [];
    const all = new Map([
      ...this.#values,
      ...(name === ""
        ? []
        : ([
            ["NAME", name],
            ["SECRET", secret],
          ] as const)),
    ]);
    return [...all].reduce(
      (filled, [word, value]) => filled.replaceAll(new RegExp(`(?<![\\w-])${word}(?!\\w)`, "g"), () => value),
      text,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
