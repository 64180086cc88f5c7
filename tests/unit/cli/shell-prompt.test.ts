/** The prompt over a connection whose clients end when the test says so. */
import { describe, expect, test } from "bun:test";
import { ShellFolder } from "../../../lib/cli/client/shell-folder.ts";
import { ShellPrompt } from "../../../lib/cli/client/shell-prompt.ts";
import { type Input, LineInput } from "../../../lib/cli/terminal/line-input.ts";
import type { Client } from "../../../lib/client/client.ts";
import type { Connection } from "../../../lib/client/connection.ts";
import { TransportError } from "../../../lib/errors.ts";
import type { SessionEnd } from "../../../lib/session/session-end.ts";
import { codeOf } from "../../support/fault.ts";
import { TestIo } from "../../support/test-io.ts";
import { until } from "../../support/until.ts";

const LOST: SessionEnd = { code: "LOST", message: "The link is lost.", by: "lost" };

/** Lines that the test types, and the prompts that are shown. */
class Typed extends LineInput {
  readonly prompts: string[] = [];
  #waiting: ((input: Input) => void) | undefined;

  override next(prompt: string): Promise<Input> {
    this.prompts.push(prompt);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  override reprompt(prompt: string): void {
    this.prompts.push(prompt);
  }

  type(input: Input): void {
    this.#waiting?.(input);
  }

  override close(): void {}
  protected override tellInterrupt(): void {}
}

/** A client, and what ends it. */
function clientOf(name: string) {
  const ended = Promise.withResolvers<SessionEnd>();
  return { client: { name, ended: ended.promise } as Client, end: ended.resolve };
}

function promptOver(first: Client) {
  const recovered = Promise.withResolvers<void>();
  const state = { client: first, recoveries: 0 };
  const connection = {
    get client() {
      return state.client;
    },
    noteHeld() {},
    recover: () => {
      state.recoveries++;
      return recovered.promise;
    },
  } as unknown as Connection;
  const lines = new Typed();
  const folder = new ShellFolder();
  const io = new TestIo();
  const begun: string[] = [];
  const onClient = ({ name }: Client) => void begun.push(name);
  const prompt = new ShellPrompt({ connection, lines, folder, io, onClient });
  return { prompt, lines, state, recovered, begun };
}

describe("the prompt of the shell", () => {
  test.each([
    ["the link is lost", LOST],
    ["the server stops", { code: "SHUTDOWN", message: "The server is shutting down.", by: "remote" }],
  ] as const)("reconnects when %s, and shows both", async (_, end) => {
    const [a, b] = [clientOf("Client01"), clientOf("Client02")];
    const { prompt, lines, state, recovered, begun } = promptOver(a.client);
    const typed = prompt.next();
    a.end(end);
    await until(() => state.recoveries === 1);
    state.client = b.client;
    recovered.resolve();
    await until(() => lines.prompts.length === 3);
    expect(lines.prompts).toEqual(["Client01> ", "Client01 offline> ", "Client02> "]);
    lines.type({ kind: "line", text: "hello" });
    expect(await typed).toEqual({ kind: "line", text: "hello" });
    expect(begun).toEqual(["Client01", "Client02"]);
  });

  test("does not reconnect what a job has reconnected already", async () => {
    const [a, b] = [clientOf("Client01"), clientOf("Client02")];
    const { prompt, lines, state } = promptOver(a.client);
    const first = prompt.next();
    lines.type({ kind: "line", text: "get big.bin" });
    await first;
    a.end(LOST);
    await until(() => prompt.isLost);
    state.client = b.client;
    const second = prompt.next();
    lines.type({ kind: "line", text: "hello" });
    await second;
    expect([state.recoveries, prompt.isLost]).toEqual([0, false]);
  });

  test("throws when the server has dismissed the client", async () => {
    const a = clientOf("Client01");
    const { prompt } = promptOver(a.client);
    const typed = prompt.next();
    a.end({ code: "KICKED", message: "Removed.", by: "remote" });
    expect(await codeOf(() => typed)).toBe("KICKED");
  });

  test("takes lines while it reconnects, and tells when the link is back", async () => {
    const [a, b] = [clientOf("Client01"), clientOf("Client02")];
    const { prompt, lines, state, recovered, begun } = promptOver(a.client);
    const typed = prompt.next();
    a.end(LOST);
    await until(() => state.recoveries === 1);
    lines.type({ kind: "line", text: "lpwd" });
    expect(await typed).toEqual({ kind: "line", text: "lpwd" });
    expect(prompt.isLost).toBe(true);
    const online = prompt.online();
    state.client = b.client;
    recovered.resolve();
    await online;
    expect([prompt.isLost, state.recoveries, begun]).toEqual([false, 1, ["Client01", "Client02"]]);
  });

  test("throws what ended the attempts, also to a line that waits for them", async () => {
    const a = clientOf("Client01");
    const { prompt, lines, recovered, state } = promptOver(a.client);
    const typed = prompt.next();
    a.end(LOST);
    await until(() => state.recoveries === 1);
    lines.type({ kind: "line", text: "ls" });
    await typed;
    const codes = [codeOf(() => prompt.online()), codeOf(() => prompt.next())];
    recovered.reject(new TransportError("CANNOT_CONNECT", "Nobody listens there."));
    expect(await codes[0]).toBe("CANNOT_CONNECT");
    lines.type({ kind: "end" });
    await codes[1];
    expect(await codeOf(() => prompt.next())).toBe("CANNOT_CONNECT");
  });
});
