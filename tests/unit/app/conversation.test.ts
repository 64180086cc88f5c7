import { describe, expect, test } from "bun:test";
import { Conversation } from "../../../lib/app/conversation.ts";
import type { MessageFacts } from "../../../lib/app/events.ts";
import { CommError } from "../../../lib/errors.ts";
import type { SendResult } from "../../../lib/protocol/methods.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function site(pages = 1) {
  const told: MessageFacts[] = [];
  const conversation = new Conversation({
    clock: new FakeClock(),
    onMessage: (message) => {
      told.push(message);
      return pages;
    },
  });
  return { conversation, told };
}

const answer = (result: Partial<SendResult>) => ({
  send: async () => ({ text: "hi ACK", delivered: [], failed: [], ...result }),
});

describe("the conversation of a page", () => {
  test("keeps what arrives for pages that open later", () => {
    const { conversation, told } = site();
    conversation.receive({ from: "Client02", token: "bob", to: "Client01", text: "hello" });
    conversation.receive({ from: "Client02", to: "Client01", text: "earlier", sentAt: 5 });
    expect(conversation.all).toEqual(told);
    expect(conversation.all).toMatchObject([
      { id: 1, isOurs: false, from: "Client02", token: "bob", text: "hello" },
      { id: 2, at: 5, wasKept: true },
    ]);
  });

  test("does not take a message that no page can show: its sender learns it", () => {
    const { conversation } = site(0);
    expect(() => conversation.receive({ from: "Client02", to: "all", text: "hello" })).toThrow("No page is open");
    expect(conversation.all).toEqual([]);
  });

  test.each([
    [{ delivered: ["Client02"] }, "bob", "delivered", undefined],
    [{ kept: { name: "bob", until: 9 } }, "bob", "kept", undefined],
    [{ failed: [{ name: "Client02", message: "It is busy." }] }, "bob", "failed", "Client02: It is busy."],
    [{}, undefined, "delivered", "hi ACK"],
  ] as const)("tells what became of a sent one: %j", async (result, to, delivery, note) => {
    const { conversation, told } = site();
    await conversation.send(answer(result as Partial<SendResult>), "hi", to);
    expect(told.map((message) => message.delivery)).toEqual(["sending", delivery]);
    expect(conversation.all).toHaveLength(1);
    expect(conversation.all[0]?.note).toBe(note);
  });

  test("tells that it could not be sent, and why", async () => {
    const { conversation } = site();
    const send = async () => {
      throw new CommError("NO_SUCH_CLIENT", "Nobody is called so.");
    };
    await expect(conversation.send({ send }, "hi", "nobody")).rejects.toThrow("Nobody is called so.");
    expect(conversation.all).toMatchObject([{ delivery: "failed", note: "Nobody is called so." }]);
  });

  test("does not send an invite or a token", async () => {
    const { conversation } = site();
    const send = async () => Promise.reject(new Error("It was sent."));
    for (const text of ["csinvite1_eyJuIjoi", "join 385-061-7726", `bob:${"a".repeat(43)}`])
      await expect(conversation.send({ send }, text, "all")).rejects.toThrow("Not sent");
  });

  test("keeps the last thousand", () => {
    const { conversation } = site();
    for (let count = 0; count < 1_010; count++) conversation.receive({ from: "a", to: "b", text: `${count}` });
    expect(conversation.all).toHaveLength(1_000);
    expect(conversation.all[0]?.text).toBe("10");
  });
});
