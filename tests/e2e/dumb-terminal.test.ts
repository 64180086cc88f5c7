/** A terminal that takes text alone (TERM=dumb, as in an editor): nothing that moves a cursor or clears a line. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { spawn } from "bun";
import { binaries } from "../support/binaries.ts";
import { runClient, ServerProcess, USER_ENV } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

/** All that a program on a terminal writes, and what types into it. */
class Dumb {
  text = "";
  readonly #process;

  constructor(command: string[], cwd: string) {
    const decoder = new TextDecoder();
    this.#process = spawn(command, {
      cwd,
      env: { ...USER_ENV, TERM: "dumb" },
      terminal: { cols: 80, rows: 24, data: (_, bytes) => this.#note(decoder.decode(bytes, { stream: true })) },
    });
  }

  #note(text: string): void {
    this.text += text;
  }

  type(keys: string): void {
    this.#process.terminal?.write(keys);
  }

  async shows(text: string): Promise<void> {
    await until(() => this.text.includes(text));
  }

  get exited(): Promise<number> {
    return this.#process.exited;
  }
}

test("has no bars during a transfer, and the line at its end", async () => {
  using folder = new TempFolder();
  writeFileSync(folder.join("big"), Buffer.alloc(3_000_000, 1));
  await using server = await ServerProcess.start(["-r", folder.path, "--limit-rate", "1MB"]);
  using here = new TempFolder();
  const { client } = await binaries();
  const terminal = new Dumb([client, "get", "big", "-s", server.address], here.path);
  expect(await terminal.exited).toBe(0);
  await terminal.shows("Fetched big (3.0 MB, verified)");
  expect(terminal.text).not.toContain("\u001b");
  expect(terminal.text).not.toContain("█");
});

test("shows a message that comes while somebody types", async () => {
  using folder = new TempFolder();
  await using server = await ServerProcess.start(["-r", folder.path]);
  const { client } = await binaries();
  const terminal = new Dumb([client, "-s", server.address], folder.path);
  await terminal.shows("Client01> ");
  terminal.type("sta");
  await terminal.shows("> sta");
  expect(await runClient(["send", "hello", "--to", "all", "-s", server.address])).toMatchObject({ exitCode: 0 });
  await terminal.shows("Client02 to all: hello");
  terminal.type("tus\r");
  await terminal.shows("You are Client01");
  terminal.type("exit\r");
  expect(await terminal.exited).toBe(0);
  expect(terminal.text).not.toContain("\u001b");
});
