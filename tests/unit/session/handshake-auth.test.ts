import { describe, expect, test } from "bun:test";
import { createVerifier, sign, verifies } from "../../../lib/server/access/verifier.ts";
import type { Connected } from "../../../lib/session/handshake.ts";
import { frame } from "../../support/frames.ts";
import { connecting, TIMEOUT_MS, WELCOME } from "../../support/handshake.ts";
import { until } from "../../support/until.ts";

const TOKEN = { name: "laptop", secret: "sEcReT-_".repeat(6).slice(0, 43) };
const verifier = createVerifier(TOKEN.secret, Buffer.alloc(16));
const salt = Buffer.from(verifier.salt).toString("base64");

type Asking = ReturnType<typeof connecting>;

/** The server's side, written a second time, as far as the challenge. */
async function challenge(asking: Asking): Promise<string> {
  const hello = await until(() => asking.peer.last("HELLO"));
  const nonce = /,r=(.*)$/.exec(hello.json.auth.message)?.[1] as string;
  const message = `r=${nonce}${"S".repeat(24)},s=${salt},i=4096`;
  await asking.peer.send(frame("AUTH", { message }));
  return message;
}

/** The client's proof, and the server's right answer to it. */
async function proofOf(asking: Asking): Promise<{ isRight: boolean; answer: string }> {
  const first = await challenge(asking);
  const { json } = await until(() => asking.peer.last("AUTH"));
  const [, withoutProof, proof] = /^(.*),p=(.*)$/.exec(json.message) as unknown as [string, string, string];
  const hello = asking.peer.last("HELLO")?.json.auth.message as string;
  const all = `${hello.slice(3)},${first},${withoutProof}`;
  return {
    isRight: verifies(verifier, all, Buffer.from(proof, "base64")),
    answer: `v=${Buffer.from(sign(verifier, all)).toString("base64")}`,
  };
}

function codeOf(result: Promise<Connected>): Promise<string> {
  return result.then(
    () => "in",
    ({ code }) => code,
  );
}

describe("a client with a token", () => {
  test("says its name and never its secret, proves it, and is in when the server has proven it too", async () => {
    const asking = connecting({ token: TOKEN });
    const { isRight, answer } = await proofOf(asking);
    expect(isRight).toBe(true);
    await asking.peer.send(frame("AUTH", { message: answer }), frame("WELCOME", WELCOME));
    expect((await asking.result).welcome.name).toBe("Client01");
    expect(asking.peer.names).toEqual(["HELLO", "AUTH"]);
    expect(asking.peer.frames[0]?.json.auth).toEqual({
      mechanism: "SCRAM-SHA-256",
      message: expect.stringMatching(/^n,,n=laptop,r=.{18,}$/),
    });
    for (const { payload } of asking.peer.frames) expect(payload.includes(TOKEN.secret)).toBe(false);
  });

  test("may be queued by a server that has proven itself", async () => {
    const asking = connecting({ token: TOKEN, wait: true });
    const { answer } = await proofOf(asking);
    await asking.peer.send(frame("AUTH", { message: answer }), frame("QUEUED", { position: 1 }));
    expect(asking.positions).toEqual([1]);
    await asking.peer.send(frame("WELCOME", WELCOME));
    expect((await asking.result).welcome.name).toBe("Client01");
  });
});

describe("a server that does not prove that it knows the token is not trusted", () => {
  const shortcuts: [string, (asking: Asking) => Promise<unknown>][] = [
    ["WELCOME at once", (asking) => asking.peer.send(frame("WELCOME", WELCOME))],
    ["QUEUED at once", (asking) => asking.peer.send(frame("QUEUED", { position: 1 }))],
    [
      "WELCOME together with the challenge",
      async (asking) => {
        const nonce = /,r=(.*)$/.exec((await until(() => asking.peer.last("HELLO"))).json.auth.message)?.[1];
        const message = `r=${nonce}${"S".repeat(24)},s=${salt},i=4096`;
        await asking.peer.send(frame("AUTH", { message }), frame("WELCOME", WELCOME));
      },
    ],
    [
      "WELCOME in place of its own proof",
      async (asking) => {
        await proofOf(asking);
        await asking.peer.send(frame("WELCOME", WELCOME));
      },
    ],
    [
      "QUEUED in place of its own proof",
      async (asking) => {
        await proofOf(asking);
        await asking.peer.send(frame("QUEUED", { position: 1 }));
      },
    ],
    [
      "a proof of something else",
      async (asking) => {
        const { answer } = await proofOf(asking);
        const wrong = `v=${answer[2] === "A" ? "B" : "A"}${answer.slice(3)}`;
        await asking.peer.send(frame("AUTH", { message: wrong }), frame("WELCOME", WELCOME));
      },
    ],
    [
      "a proof with a verifier of another secret",
      async (asking) => {
        await proofOf(asking);
        const other = createVerifier("another", verifier.salt);
        const message = `v=${Buffer.from(sign(other, "x")).toString("base64")}`;
        await asking.peer.send(frame("AUTH", { message }), frame("WELCOME", WELCOME));
      },
    ],
  ];
  test.each(shortcuts)("%s is WRONG_IDENTITY", async (_, answer) => {
    const asking = connecting({ token: TOKEN, wait: true });
    const code = codeOf(asking.result);
    await answer(asking);
    expect(await code).toBe("WRONG_IDENTITY");
    expect(asking.positions).toEqual([]);
    // It says nothing to whom it does not trust.
    expect(asking.peer.names.filter((name) => name === "GOAWAY")).toEqual([]);
  });
});

describe("AUTH out of place is a violation", () => {
  test("for a client without a token", async () => {
    const asking = connecting();
    const code = codeOf(asking.result);
    await asking.peer.send(frame("AUTH", { message: "r=x" }));
    expect(await code).toBe("UNEXPECTED_FRAME");
  });

  test("while the proof is being made", async () => {
    const asking = connecting({ token: TOKEN });
    const code = codeOf(asking.result);
    const nonce = /,r=(.*)$/.exec((await until(() => asking.peer.last("HELLO"))).json.auth.message)?.[1];
    const message = `r=${nonce}${"S".repeat(24)},s=${salt},i=100000`;
    await asking.peer.send(frame("AUTH", { message }), frame("AUTH", { message }));
    expect(await code).toBe("UNEXPECTED_FRAME");
  });

  test("behind the server's proof", async () => {
    const asking = connecting({ token: TOKEN });
    const code = codeOf(asking.result);
    const { answer } = await proofOf(asking);
    await asking.peer.send(frame("AUTH", { message: answer }), frame("AUTH", { message: answer }));
    expect(await code).toBe("UNEXPECTED_FRAME");
  });
});

describe("what the server may ask", () => {
  test.each([
    ["too few rounds", "4095"],
    ["more rounds than a client gives", "100001"],
  ])("%s is BAD_PAYLOAD, and no proof is sent", async (_, rounds) => {
    const asking = connecting({ token: TOKEN });
    const code = codeOf(asking.result);
    const nonce = /,r=(.*)$/.exec((await until(() => asking.peer.last("HELLO"))).json.auth.message)?.[1];
    await asking.peer.send(frame("AUTH", { message: `r=${nonce}SSSS,s=${salt},i=${rounds}` }));
    expect(await code).toBe("BAD_PAYLOAD");
    expect(asking.peer.names).toEqual(["HELLO"]);
  });

  test("a challenge to another nonce is BAD_PAYLOAD, and no proof is sent", async () => {
    const asking = connecting({ token: TOKEN });
    const code = codeOf(asking.result);
    await asking.peer.send(frame("AUTH", { message: `r=${"x".repeat(40)},s=${salt},i=4096` }));
    expect(await code).toBe("BAD_PAYLOAD");
    expect(asking.peer.names).toEqual(["HELLO"]);
  });
});

test("a refusal is reported as the server sent it, at each step", async () => {
  for (const steps of [0, 1, 2]) {
    const asking = connecting({ token: TOKEN });
    const code = codeOf(asking.result);
    if (steps === 1) await challenge(asking);
    if (steps === 2) await proofOf(asking);
    await asking.peer.send(frame("REFUSE", { code: 17, message: "The token is wrong, or was revoked." }));
    expect(await code).toBe("ACCESS_DENIED");
  }
});

test("a server that falls silent during the proof is given up on", async () => {
  const asking = connecting({ token: TOKEN });
  const code = codeOf(asking.result);
  await proofOf(asking);
  await asking.clock.advance(TIMEOUT_MS);
  expect(await code).toBe("HANDSHAKE_TIMEOUT");
});

test("who gives up while the proof is being made sends none", async () => {
  const stop = new AbortController();
  const asking = connecting({ token: TOKEN, signal: stop.signal });
  const code = codeOf(asking.result);
  const sent = challenge(asking);
  stop.abort();
  expect(await code).toBe("INTERRUPTED");
  await sent;
  expect(asking.peer.last("AUTH")).toBeUndefined();
});
