/** Every line of the original program's README, with the two files and an empty environment. */
import { beforeAll, describe, expect, test } from "bun:test";
import { binaries } from "../support/binaries.ts";
import { ServerProcess, USER_ENV } from "../support/processes.ts";
import { Screen } from "../support/screen.ts";
import { TempFolder } from "../support/temp-folder.ts";

const REPOSITORY = `${import.meta.dir}/../../repository`;

beforeAll(async () => {
  await binaries();
}, 180_000);

async function shell(server: ServerProcess, folder: TempFolder, ...flags: string[]): Promise<Screen> {
  const { client } = await binaries();
  return new Screen([client, "--server", server.address, ...flags], { cwd: folder.path });
}

/** A server with the sample repository and, in an empty folder, the first client's shell at its prompt. */
async function inShell(
  body: (client: Screen, server: ServerProcess, folder: TempFolder) => Promise<void>,
  ...flags: string[]
): Promise<void> {
  await using server = await ServerProcess.start(["--repository", REPOSITORY]);
  using folder = new TempFolder();
  await using client = await shell(server, folder, ...flags);
  await client.prompts("Client01> ");
  await body(client, server, folder);
}

describe("the original's session", () => {
  test("three clients at once, the fourth refused, and its seat is free when one leaves", async () => {
    await using server = await ServerProcess.start(["--repository", REPOSITORY]);
    using folder = new TempFolder();
    await using first = await shell(server, folder);
    await first.shows("Connected as Client01");
    await using second = await shell(server, folder);
    await second.shows("Connected as Client02");
    await using third = await shell(server, folder);
    await third.shows("Connected as Client03");
    await using fourth = await shell(server, folder);
    await fourth.shows("Server is full. Please try again later.");
    expect(await fourth.exited).toBe(4);

    second.type("exit\r");
    expect(await second.exited).toBe(0);
    await server.event("left", { name: "Client02", reason: "exit" });
    await using fifth = await shell(server, folder);
    await fifth.shows("Connected as Client04");
  });

  test("status, list, get, text and its ACK, in any case of letters, and exit", async () => {
    await inShell(async (client, server, folder) => {
      client.type("Hello, server!\r");
      await client.shows("Hello, server! ACK");
      client.type("STATUS\r");
      await client.shows("Seats: 1 of 3 taken");
      await client.shows("WHO");
      client.type("List\r");
      await client.shows("docs/quick reference.txt");
      client.type("get docs/quick reference.txt\r");
      await client.shows("Fetched docs/quick reference.txt");
      const fetched = await Bun.file(folder.join("quick reference.txt")).bytes();
      expect(fetched).toEqual(await Bun.file(`${REPOSITORY}/docs/quick reference.txt`).bytes());
      client.type("EXIT\r");
      expect(await client.exited).toBe(0);
      await server.event("left", { name: "Client01", reason: "exit" });
    });
  });

  test("what can't be done is told in a line, and the session goes on", async () => {
    await inShell(async (client) => {
      client.type("get /etc/passwd\r");
      await client.shows('There is no "etc/passwd" in the repository.');
      client.type("get ../etc/passwd\r");
      await client.shows('"../etc/passwd" is not a path in the repository');
      client.type("get\r");
      await client.shows("Name a file: get PATH");
      client.type("get no-such-file\r");
      await client.shows('There is no "no-such-file" in the repository.');
      client.type("@Client77 hi\r");
      await client.shows('No client "Client77" is connected.');
      client.type("still here\r");
      await client.shows("still here ACK");
    });
  });
});

describe("the terminal", () => {
  test("an incoming message does not tear the line that is being typed", async () => {
    await inShell(async (reader, server, folder) => {
      await using writer = await shell(server, folder);
      await writer.prompts("Client02> ");
      reader.type("half a sen");
      await reader.prompts("Client01> half a sen");
      writer.type("@Client01 knock knock\r");
      await writer.shows("Delivered to Client01.");
      await reader.shows("Client02: knock knock");
      await reader.prompts("Client01> half a sen");
      expect(reader.text.match(/half a sen/g)).toHaveLength(1);
      reader.type("tence\r");
      await reader.shows("half a sentence ACK");
    });
  });

  test("nor one that is longer than the screen is wide", async () => {
    await inShell(async (reader, server, folder) => {
      await using writer = await shell(server, folder);
      await writer.prompts("Client02> ");
      const long = "0123456789".repeat(15);
      reader.type(long);
      await reader.shows("789");
      await reader.prompts("0123456789");
      writer.type("@Client01 knock\r");
      await writer.shows("Delivered to Client01.");
      await reader.shows("Client02: knock");
      expect(reader.text.replaceAll("\n", "").split(long)).toHaveLength(2);
    });
  });

  test("what a peer sends can't reach the terminal as an escape sequence", async () => {
    await inShell(async (reader, server) => {
      const { client } = await binaries();
      Bun.spawnSync([client, "send", "\u001b[2Jgone\u202e", "--to", "Client01", "--server", server.address], {
        env: USER_ENV,
      });
      await reader.shows("Client02: \\u{1b}[2Jgone\\u{202e}");
      await reader.shows("Connected as Client01");
    });
  });

  test("Ctrl-C clears the line, asks before it leaves, and leaves at the second", async () => {
    await inShell(async (client, server) => {
      client.type("oops");
      await client.prompts("oops");
      client.type("\x03");
      await client.prompts("Client01> ");
      client.type("\x03");
      await client.shows("press Ctrl-C again");
      await client.prompts("Client01> ");
      client.type("\x03");
      expect(await client.exited).toBe(130);
      await server.event("left", { name: "Client01", reason: "exit" });
    });
  });

  test("Ctrl-D leaves", async () => {
    await inShell(async (client) => {
      client.type("\x04");
      expect(await client.exited).toBe(0);
    });
  });

  test("a file that exists is replaced only after a yes", async () => {
    await inShell(async (client, _, folder) => {
      await Bun.write(folder.join("welcome.txt"), "mine");
      client.type("get welcome.txt\r");
      await client.prompts("[y/N] ");
      client.type("n\r");
      await client.prompts("Client01> ");
      expect(await Bun.file(folder.join("welcome.txt")).text()).toBe("mine");
      client.type("get welcome.txt\r");
      await client.prompts("[y/N] ");
      client.type("y\r");
      await client.shows("Fetched welcome.txt");
      expect(await Bun.file(folder.join("welcome.txt")).text()).not.toBe("mine");
    });
  });

  test("Tab completes commands and paths", async () => {
    await inShell(async (client) => {
      client.type("ge\t");
      await client.prompts("Client01> get ");
      client.type("wel\t");
      await client.prompts("Client01> get welcome.txt");
    });
  });

  test("a server that stops is reported on a line of its own, with its own exit code", async () => {
    const body = async (client: Screen, server: ServerProcess) => {
      client.type("half");
      await client.prompts("half");
      server.signal("SIGTERM");
      await client.shows("The server is shutting down.");
      expect(await client.exited).toBe(3);
      expect(await server.exited()).toBe(0);
    };
    await inShell(body, "--reconnect", "0");
  });
});
