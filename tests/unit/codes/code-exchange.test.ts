import { describe, expect, test } from "bun:test";
import { CodeExchange } from "../../../lib/codes/code-exchange.ts";

const CODE = { plate: "385", secret: "061772" };
const BINDING = new Uint8Array(32).fill(7);

function agreed(client: CodeExchange, server: CodeExchange) {
  return { client: client.agree(server.share), server: server.agree(client.share) };
}

test("both sides of one code have the same tags, and open what the other seals", () => {
  const { client, server } = agreed(
    new CodeExchange("client", CODE, BINDING),
    new CodeExchange("server", CODE, BINDING),
  );
  expect(client.tags).toEqual(server.tags);
  expect(client.open(server.seal("ünvite"))).toBe("ünvite");
});

describe("nothing agrees with", () => {
  test.each([
    ["another secret", { ...CODE, secret: "061773" }, BINDING],
    ["another plate", { ...CODE, plate: "386" }, BINDING],
    ["another channel", CODE, new Uint8Array(32).fill(8)],
    ["no channel", CODE, undefined],
  ] as const)("%s", (_, code, binding) => {
    const { client, server } = agreed(
      new CodeExchange("client", code, binding),
      new CodeExchange("server", CODE, BINDING),
    );
    expect(client.tags.client).not.toEqual(server.tags.client);
    expect(client.tags.server).not.toEqual(server.tags.server);
    expect(() => client.open(server.seal("invite"))).toThrow();
  });

  test("a side that plays the same part", () => {
    const [one, other] = [new CodeExchange("client", CODE, BINDING), new CodeExchange("client", CODE, BINDING)];
    expect(one.agree(other.share).tags.server).not.toEqual(other.agree(one.share).tags.server);
  });
});

test("the own share, sent back, agrees with nobody: its tags are for two sides", () => {
  const client = new CodeExchange("client", CODE, BINDING);
  const { tags } = client.agree(client.share);
  expect(tags.client).not.toEqual(tags.server);
});

test("a damaged seal does not open", () => {
  const { client, server } = agreed(
    new CodeExchange("client", CODE, BINDING),
    new CodeExchange("server", CODE, BINDING),
  );
  const sealed = server.seal("invite");
  for (const index of [0, sealed.length - 1]) {
    const damaged = sealed.map((byte, at) => (at === index ? byte ^ 1 : byte));
    expect(() => client.open(damaged)).toThrow();
  }
});

test.each([
  ["the neutral element", new Uint8Array(32)],
  ["no point", new Uint8Array(32).fill(255)],
  ["nothing", new Uint8Array(0)],
])("%s as the other's share is BAD_PAYLOAD", (_, share) => {
  const side = new CodeExchange("server", CODE, BINDING);
  expect(() => side.agree(share)).toThrow(expect.objectContaining({ code: "BAD_PAYLOAD" }));
});
