import { describe, expect, test } from "bun:test";
import { Client } from "../../lib/client/client.ts";
import type { MessageParams } from "../../lib/protocol/methods.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

describe("messages", () => {
  test("a text to the server is answered with the text and ACK, and shown to the operator", async () => {
    await using server = new TestServer();
    const client = await server.tcpClient();
    expect(await client.send("Grüße, 你好")).toEqual({ text: "Grüße, 你好 ACK", delivered: ["Server"], failed: [] });
    const shown = server.events.filter(({ event }) => event === "message");
    expect(shown).toMatchObject([{ from: "Client01", to: "server", text: "Grüße, 你好" }]);
  });

  test("a text to one client reaches it alone, in any case of its name", async () => {
    await using server = new TestServer();
    const got: MessageParams[] = [];
    const sender = await server.tcpClient({ onMessage: () => expect.unreachable() });
    await server.tcpClient({ onMessage: (message) => got.push(message) });
    await server.tcpClient({ onMessage: () => expect.unreachable() });
    expect((await sender.send("hi", "cLIENT02")).delivered).toEqual(["Client02"]);
    // Acknowledged means delivered: nothing to wait for.
    expect(got).toEqual([{ from: "Client01", to: "Client02", text: "hi" }]);
  });

  test("a text to all reaches everyone but the sender", async () => {
    await using server = new TestServer();
    const got: string[] = [];
    const sender = await server.tcpClient({ onMessage: () => expect.unreachable() });
    await server.tcpClient({ onMessage: ({ text }) => got.push(`b ${text}`) });
    await server.tcpClient({ onMessage: ({ text }) => got.push(`c ${text}`) });
    expect((await sender.send("x", "ALL")).delivered).toEqual(["Client02", "Client03"]);
    expect(got.sort()).toEqual(["b x", "c x"]);
  });

  test("the server speaks first: its operator writes to one and to all", async () => {
    await using server = new TestServer();
    const got: string[] = [];
    await server.tcpClient({ onMessage: ({ from, text }) => got.push(`1 ${from} ${text}`) });
    await server.tcpClient({ onMessage: ({ from, text }) => got.push(`2 ${from} ${text}`) });
    const { client } = await server.operator();
    await client.send("one", "Client01");
    await client.send("everyone", "all");
    expect(got.sort()).toEqual(["1 Server everyone", "1 Server one", "2 Server everyone"]);
  });

  test("an unknown or departed addressee is named", async () => {
    await using server = new TestServer();
    const sender = await server.tcpClient();
    const gone = await server.tcpClient();
    await gone.close();
    await until(() => server.server.members.clients.length === 1);
    for (const name of ["Client02", "Client99"]) {
      await expect(sender.send("x", name)).rejects.toMatchObject({
        code: "NO_SUCH_CLIENT",
        message: expect.stringContaining(name),
      });
    }
  });

  test("an addressee that dies before it has acknowledged is not counted as reached", async () => {
    await using server = new TestServer();
    const sender = await server.tcpClient();
    const victim = await server.tcpClient({
      onMessage: () => {
        void operator.kick("Client02");
        throw new Error("no");
      },
    });
    const operator = await server.operator();
    await expect(sender.send("x", victim.name)).rejects.toMatchObject({ code: "NOT_DELIVERED" });
  });

  test("both directions at once keep their order", async () => {
    await using server = new TestServer();
    const got: string[] = [];
    const a = await server.tcpClient();
    await server.tcpClient({ onMessage: ({ text }) => got.push(text) });
    const texts = Array.from({ length: 100 }, (_, index) => `${index}`);
    await Promise.all(texts.map((text) => a.send(text, "Client02")));
    expect(got).toEqual(texts);
  });

  test("hundreds of large ones at once over a narrow link do not lock both sides up", async () => {
    await using server = new TestServer();
    const [ours, theirs] = memoryPair({ a: "server", b: "narrow" }, 1_024);
    server.server.accept(ours, "write");
    const options = { transport: theirs, clock: systemClock, agent: "test", wait: false, timeoutMs: 5_000 };
    const client = await Client.connect(options);
    const texts = Array.from({ length: 120 }, (_, index) => `${index}`.padEnd(8_000, "x"));
    const answers = await Promise.all(texts.map((text) => client.send(text)));
    expect(answers.map(({ text }) => text)).toEqual(texts.map((text) => `${text} ACK`));
    await client.close();
  });

  test("they are counted in the ledger, each way", async () => {
    await using server = new TestServer();
    const a = await server.tcpClient();
    const b = await server.tcpClient({ onMessage() {} });
    await a.send("1");
    await a.send("2", b.name);
    const { sessions } = await b.status();
    expect(sessions).toMatchObject([
      { name: "Client02", messagesIn: 0, messagesOut: 1 },
      { name: "Client01", messagesIn: 2, messagesOut: 0 },
    ]);
  });
});
