import { expect, test } from "bun:test";
import { binaries } from "../support/binaries.ts";
import { run } from "../support/processes.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { describeInterop, KEPT, LineProcess, type PeerEvent, peer, runPeer } from "./peer.ts";
import { buildFirst, CompiledSite, startCompiled, TOKEN } from "./site.ts";

const only = (events: PeerEvent[], ...kinds: string[]) => events.filter(({ event }) => kinds.includes(event));
const codes = (events: PeerEvent[]) => only(events, "reset", "failed").map(({ code }) => code);

/** A compiled server without TLS, which wants tokens. */
class TokenSite extends CompiledSite {
  static async open(...options: string[]): Promise<TokenSite> {
    const folder = new TempFolder();
    writeTree(folder.path, { "repository/a.txt": "abc", own: "own" });
    return new TokenSite(folder, await startCompiled(folder.join("repository"), options));
  }

  /** A new token, made beside the server. */
  async token(name: string, role: string): Promise<string> {
    const command = [(await binaries()).server, "token", "add", name, "--role", role, "--json"];
    return JSON.parse((await run([...command, "--state-dir", this.server.stateDir])).stdout).token;
  }

  as(token: string, ...lines: string[]) {
    return runPeer(["--token", token, this.server.address], lines, this.folder.path);
  }

  stays(token: string, ...options: string[]): LineProcess {
    return new LineProcess(peer("client", "--token", token, ...options, this.server.address), this.folder.path);
  }
}

/** A guest whose token ends soon: after the shortest time in which this machine lets a peer begin and come in. */
async function withShortToken(
  site: TokenSite,
  operator: LineProcess,
): Promise<{ name: string; token: string; guest: LineProcess }> {
  for (let lifeMs = 1_000; ; lifeMs *= 2) {
    const name = `short-${lifeMs}`;
    operator.say(`call issueToken '${JSON.stringify({ name, role: "write", expiresAt: Date.now() + lifeMs })}'`);
    const { token } = await operator.event("result");
    const guest = site.stays(token);
    const answer = await guest.hear((line) => ["welcome", "refused"].includes(JSON.parse(line).event));
    if (JSON.parse(answer).event === "welcome") return { name, token, guest };
    await guest[Symbol.asyncDispose]();
  }
}

buildFirst();

describeInterop("a Python operator with a token, over TCP", () => {
  test("can't be resumed: WELCOME has no resume for it, whatever it asks for", async () => {
    await using site = await TokenSite.open();
    await using operator = site.stays(await site.token("op", "operator"), "--resume=");
    expect(await operator.event("welcome")).not.toHaveProperty("resume");
    expect(await operator.finish()).toMatchObject(KEPT);
  });

  test("takes no seat, issues tokens, lists and revokes them, and their sessions end", async () => {
    await using site = await TokenSite.open("--max-clients", "1");
    await using operator = site.stays(await site.token("op", "operator"));
    expect(await operator.event("welcome")).toMatchObject({ name: "Operator", role: "operator" });
    operator.say("issue lab read");
    const invite = await operator.event("invite");
    expect(invite["i"]).toBeNull();
    expect(invite["t"]).toStartWith("lab:");
    operator.say("issue lab write");
    expect(await operator.event("reset")).toMatchObject({ method: "issueToken", code: 53 });
    operator.say("tokens");
    const { tokens } = await operator.event("tokens");
    expect(tokens).toContainEqual({ name: "lab", role: "read", createdAt: expect.any(Number), expiresAt: null });
    expect(tokens.map(({ name }: PeerEvent) => name)).toContain("op");

    await using guest = site.stays(invite["t"]);
    expect(await guest.event("welcome")).toMatchObject({ role: "read" });
    operator.say(`call revokeToken '{"name":"lab"}'`);
    expect(await guest.event("goaway")).toMatchObject({ code: 17 });
    expect(await guest.ended()).toEqual(KEPT);
    expect((await site.as(invite["t"])).events).toMatchObject([{ event: "refused", code: 17 }]);
    operator.say(`call revokeToken '{"name":"lab"}'`);
    expect(await operator.event("reset")).toMatchObject({ method: "revokeToken", code: 54 });
    expect(await operator.finish()).toEqual(KEPT);
    expect(await site.server.event("revoked")).toMatchObject({ name: "Operator", token: "lab" });
  });

  test("issues a token that ends by itself, and with it the session", async () => {
    await using site = await TokenSite.open();
    await using operator = site.stays(await site.token("op", "operator"));
    const { name, token, guest } = await withShortToken(site, operator);
    await using _ = guest;
    expect(await guest.event("goaway")).toMatchObject({ code: 17 });
    expect((await site.as(token)).events).toMatchObject([{ event: "refused", code: 17 }]);
    expect((await site.as(`${name}:${"x".repeat(43)}`)).events).toMatchObject([{ event: "refused", code: 17 }]);
  });

  test("is told what is wrong with a token that can't be", async () => {
    await using site = await TokenSite.open();
    const wrong = [
      { name: "-x", role: "read" },
      { name: "a=b", role: "read" },
      { name: "x".repeat(65), role: "read" },
      { name: "x", role: "root" },
      { name: "x" },
      { name: "x", role: "read", expiresAt: "soon" },
    ];
    const lines = wrong.map((params) => `call issueToken '${JSON.stringify(params)}'`);
    const { events } = await site.as(await site.token("op", "operator"), ...lines);
    expect(codes(events)).toEqual(wrong.map(() => 33));
  });
});

describeInterop("what a role allows", () => {
  const CALLS = [
    "put fail b.txt own",
    `call remove '{"path":"none"}'`,
    `call rename '{"from":"none","to":"b"}'`,
    "issue x read",
    "tokens",
    `call revokeToken '{"name":"x"}'`,
    `call drain '{"on":true}'`,
  ];

  test.each([
    ["read", [37, 37, 37, 37, 37, 37, 37]],
    ["write", [34, 34, 37, 37, 37, 37]],
    ["operator", [34, 34]],
  ])("%s", async (role, expected) => {
    await using site = await TokenSite.open("--writable");
    const { events, ...rest } = await site.as(await site.token("who", role), "stat a.txt", ...CALLS);
    expect(rest).toEqual(KEPT);
    expect(events[0]).toMatchObject({ event: "welcome", role });
    expect(codes(events)).toEqual(expected);
  });

  test("an open server lets anyone read, and a token write", async () => {
    await using site = await TokenSite.open("--writable", "--open", "--plaintext");
    const anyone = await runPeer([site.server.address], ["stat a.txt", "put fail b.txt own"], site.folder.path);
    expect(anyone.events[0]).toMatchObject({ role: "read" });
    expect(codes(anyone.events)).toEqual([37]);
    const known = await site.as(await site.token("who", "write"), "put fail b.txt own");
    expect(only(known.events, "done")).toMatchObject([{ outcome: "stored" }]);
    expect((await site.as(TOKEN)).events).toMatchObject([{ event: "refused", code: 17 }]);
  });

  test("a server that is not open wants a token", async () => {
    await using site = await TokenSite.open();
    expect((await runPeer([site.server.address])).events).toMatchObject([{ event: "refused", code: 16 }]);
  });
});

describeInterop("a session that comes back", () => {
  test.each([
    ["with the same token is who it was", "same", true],
    ["with another token is somebody new", "other", false],
    ["without a token is somebody new", "none", false],
  ])("%s", async (_, which, isSame) => {
    await using site = await TokenSite.open("--open", "--plaintext");
    const tokens: Record<string, string> = { same: await site.token("same", "write"), none: "-" };
    tokens["other"] = await site.token("other", "write");
    const lines = ["drop", `become ${tokens[which]}`, "return", "ping"];
    const { events, ...rest } = await runPeer(
      ["--token", `${tokens["same"]}`, "--resume", "--", site.server.address],
      lines,
    );
    expect(rest).toEqual(KEPT);
    const [first, second] = only(events, "welcome") as [PeerEvent, PeerEvent];
    expect(second["name"] === first["name"]).toBe(isSame);
    expect(second["resume"].token === first["resume"].token).toBe(isSame);
  });
});

describeInterop("a Python client above what one may", () => {
  test("calls list TOO_OFTEN, and goes on", async () => {
    await using site = await TokenSite.open("--max-lists", "1");
    const lines = [...Array(6).fill("list"), "message still"];
    const { events, ...rest } = await site.run([], lines);
    expect(rest).toEqual(KEPT);
    expect(codes(events)).toContain(51);
    expect(only(events, "listed").length).toBeGreaterThanOrEqual(2);
    expect(only(events, "result")).toMatchObject([{ text: "still ACK" }]);
  });

  test("puts more than the repository may hold: QUOTA_EXCEEDED", async () => {
    await using site = await TokenSite.open("--writable", "--quota", "7");
    const { events, ...rest } = await site.run([], ["put fail b.txt own", "put fail c.txt own"]);
    expect(rest).toEqual(KEPT);
    expect(only(events, "failed", "done")).toMatchObject([
      { event: "done", outcome: "stored" },
      { event: "failed", code: 52 },
    ]);
  });

  test("comes once too often from its address: TOO_MANY_SESSIONS", async () => {
    await using site = await TokenSite.open("--max-per-address", "1");
    await using first = site.peer();
    await first.event("welcome");
    expect((await site.run([], [])).events).toMatchObject([{ event: "refused", code: 19 }]);
    expect((await site.run(["--source", "127.0.0.2"], [])).events[0]).toMatchObject({ event: "welcome" });
  });
});
