import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ScramClient } from "../../lib/session/scram-client.ts";
import { AccessServer, challengeOf, helloOf, prove } from "../support/access-server.ts";
import { settle } from "../support/fake-clock.ts";
import { frame, HELLO } from "../support/frames.ts";

const NONCE = "0123456789abcdefghij";

describe("an invalid proof is refused with BAD_PAYLOAD or ACCESS_DENIED, whatever it is", () => {
  test("any change of the first message", async () => {
    await using server = new AccessServer();
    const { first, mechanism } = new ScramClient(server.issue("laptop"), undefined, NONCE);
    await fc.assert(
      fc.asyncProperty(fc.nat(first.length), fc.nat(4), fc.string({ maxLength: 4 }), async (at, cut, put) => {
        const message = first.slice(0, at) + put + first.slice(at + cut);
        const { peer, transport } = await server.peer();
        await peer.send(frame("HELLO", { ...HELLO, auth: { mechanism, message } }));
        const answer = peer.frames.at(-1);
        expect(["AUTH", "REFUSE"]).toContain(answer?.name as string);
        if (answer?.name === "REFUSE") expect([7, 17]).toContain(answer.json.code);
        transport.abort();
        await settle();
      }),
      { numRuns: 100 },
    );
    expect(server.events.filter(({ event }) => event === "joined")).toEqual([]);
  });

  test("any change of the last message that is not only its base64", async () => {
    await using server = new AccessServer();
    const token = server.issue("laptop");
    let address = 0;
    const meaning = (text: string) =>
      text.replace(/,p=(.*)$/, (_, proof) => `,p=${Buffer.from(proof, "base64").toString("hex")}`);
    await fc.assert(
      fc.asyncProperty(fc.nat(200), fc.nat(2), fc.string({ maxLength: 2 }), async (place, cut, put) => {
        // From another address each time: here it is not about the throttle.
        const { peer, transport } = await server.peer("memory", `10.0.${address >> 8}.${address++ & 255}:1`);
        const scram = new ScramClient(token, undefined);
        const { message } = await scram.answer(await challengeOf(peer, scram));
        const at = place % message.length;
        const changed = message.slice(0, at) + put + message.slice(at + cut);
        const isSame = meaning(changed) === meaning(message);
        await peer.send(frame("AUTH", { message: changed }));
        if (!isSame) {
          expect(peer.last("WELCOME")).toBeUndefined();
          expect([7, 17]).toContain(peer.last("REFUSE")?.json.code);
        }
        transport.abort();
        await settle();
      }),
      { numRuns: 150 },
    );
  });

  test.each([
    ["AUTH before HELLO", () => [frame("AUTH", { message: "v=AAAA" })]],
    ["AUTH that nobody asked for", () => [frame("HELLO", HELLO), frame("AUTH", { message: "v=AAAA" })]],
    ["an empty AUTH", (scram: ScramClient) => [helloOf(scram), frame("AUTH", {})]],
    ["a second HELLO", (scram: ScramClient) => [helloOf(scram), helloOf(scram)]],
    ["DATA", (scram: ScramClient) => [helloOf(scram), frame("DATA", Buffer.from("x"), 1)]],
    ["OPEN", (scram: ScramClient) => [helloOf(scram), frame("OPEN", { method: "status" }, 1, 1)]],
    ["PING", (scram: ScramClient) => [helloOf(scram), frame("PING", Buffer.alloc(8))]],
    ["AUTH on a stream", (scram: ScramClient) => [helloOf(scram), frame("AUTH", { message: "x" }, 1)]],
    ["an AUTH of 5000 bytes", (scram: ScramClient) => [helloOf(scram), frame("AUTH", { message: "x".repeat(5_000) })]],
    [
      "an AUTH of 3073 characters",
      (scram: ScramClient) => [helloOf(scram), frame("AUTH", { message: "x".repeat(3_073) })],
    ],
  ])("%s instead of the proof", async (_, make) => {
    await using server = new AccessServer();
    const { peer } = await server.peer();
    await peer.send(...make(new ScramClient(server.issue("laptop"), undefined)));
    expect(peer.last("REFUSE")).toBeDefined();
    expect(peer.last("WELCOME")).toBeUndefined();
    expect(server.events.map(({ event }) => event)).toEqual(["refused"]);
  });

  test("a second proof in the same bytes is not heard", async () => {
    await using server = new AccessServer();
    const scram = new ScramClient(server.issue("laptop"), undefined);
    const { peer } = await server.peer();
    const { message } = await scram.answer(await challengeOf(peer, scram));
    const wrong = message.replace(/,p=..../, ",p=AAAA");
    await peer.send(frame("AUTH", { message: wrong }), frame("AUTH", { message }));
    expect(peer.names).toEqual(["AUTH", "REFUSE"]);
  });
});

test("the longest nonce lets a right token in", async () => {
  await using server = new AccessServer();
  const { peer } = await server.peer();
  const answer = await prove(peer, new ScramClient(server.issue("laptop"), undefined, "n".repeat(128)));
  expect(answer.name).toBe("WELCOME");
});

describe("PROTOCOL.md says of each fault whether it is BAD_PAYLOAD or ACCESS_DENIED:", () => {
  const [MALFORMED, WRONG] = [7, 17];
  const bare = `n=laptop,r=${NONCE}`;

  test.each([
    ["a nonce that is too short", `n,,n=laptop,r=${"n".repeat(17)}`, MALFORMED],
    ["a nonce that is too long", `n,,n=laptop,r=${"n".repeat(129)}`, MALFORMED],
    ["a nonce with a space", `n,,n=laptop,r=${NONCE} x`, MALFORMED],
    ["a nonce that is not ASCII", `n,,n=laptop,r=${NONCE}é`, MALFORMED],
    ["no nonce", "n,,n=laptop", MALFORMED],
    ["an extension behind", `n,,${bare},x=1`, MALFORMED],
    ["a mandatory extension", `n,,m=x,${bare}`, MALFORMED],
    ["a name of other characters", `n,,n=lap=2Ctop,r=${NONCE}`, MALFORMED],
    ["an authzid", `n,a=root,${bare}`, WRONG],
    ["the header y", `y,,${bare}`, WRONG],
    ["a binding where there is none", `p=tls-exporter,,${bare}`, WRONG],
  ])("%s in the first message", async (_, message, code) => {
    await using server = new AccessServer();
    server.issue("laptop");
    const { peer } = await server.peer();
    await peer.send(frame("HELLO", { ...HELLO, auth: { mechanism: "SCRAM-SHA-256", message } }));
    expect(peer.names).toEqual(["REFUSE"]);
    expect(peer.last("REFUSE")?.json.code).toBe(code);
  });

  test.each([
    ["another nonce", (text: string) => text.replace(/,r=./, ",r=~"), WRONG],
    ["a shorter nonce", (text: string) => text.replace(/,r=..../, ",r="), WRONG],
    ["a nonce that is too long", (text: string) => text.replace(/,p=/, `${"n".repeat(250)},p=`), MALFORMED],
    ["another binding", (text: string) => text.replace("c=biws", "c=eSws"), WRONG],
    ["a binding that is not base64", (text: string) => text.replace("c=biws", "c=bi-s"), MALFORMED],
    ["another proof", (text: string) => text.replace(/,p=..../, ",p=AAAA"), WRONG],
    ["a shorter proof", (text: string) => text.replace(/,p=..../, ",p="), WRONG],
    ["a proof that is not base64", (text: string) => text.replace(/,p=..../, ",p=----"), MALFORMED],
    ["no proof", (text: string) => text.replace(/,p=.*/, ""), MALFORMED],
    ["an extension", (text: string) => text.replace(/,p=/, ",x=1,p="), MALFORMED],
  ])("%s in the last message", async (_, change, code) => {
    await using server = new AccessServer();
    const scram = new ScramClient(server.issue("laptop"), undefined);
    const { peer } = await server.peer();
    const { message } = await scram.answer(await challengeOf(peer, scram));
    await peer.send(frame("AUTH", { message: change(message) }));
    expect(peer.last("REFUSE")?.json.code).toBe(code);
  });
});
