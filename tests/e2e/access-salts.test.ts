/** What a stranger is asked for a name, over restarts and changes of the identity: it must not tell which names there are. */
import { expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { ScramClient } from "../../lib/session/scram-client.ts";
import { connect } from "../../lib/transport/socket.ts";
import { challengeOf, WRONG_SECRET } from "../support/access-server.ts";
import { AccessSite } from "../support/access-site.ts";
import { testIdentity } from "../support/identity.ts";
import { MemoryPeer } from "../support/memory-peer.ts";

/** With a token, and without; "laptop" comes and goes. */
const NAMES = ["default", "phone", "laptop", "local"];

/** The challenge for each name, but for the nonce. */
async function salts(site: AccessSite, security: "tls" | "plain" = "tls"): Promise<string[]> {
  const found: string[] = [];
  for (const name of NAMES) {
    const trust = security === "tls" ? { verify() {} } : undefined;
    const address = { kind: "tcp", host: "127.0.0.1", port: site.server.port } as const;
    const transport = await connect(address, { timeoutMs: 20_000, trust });
    const challenge = await challengeOf(
      new MemoryPeer(transport),
      new ScramClient({ name, secret: WRONG_SECRET }, transport.channelBinding),
    );
    transport.abort();
    found.push(/,(s=[^,]+,i=.*)$/.exec(challenge)?.[1] as string);
  }
  return found;
}

test("the salt of every name stays: over restarts, another identity, no encryption, a certificate, and as tokens come and go", async () => {
  await using site = await AccessSite.start();
  const before = await salts(site);
  expect(new Set(before).size).toBe(NAMES.length);
  expect(new Set(before.map((salt) => salt.length)).size).toBe(1);

  await site.restart();
  expect(await salts(site)).toEqual(before);
  await site.restart(() => site.operate("identity", "rotate"));
  expect(await salts(site)).toEqual(before);

  await site.operate("token", "add", "laptop");
  expect(await salts(site)).toEqual(before);
  await site.restart();
  expect(await salts(site)).toEqual(before);
  await site.operate("token", "revoke", "laptop");
  await site.operate("token", "revoke", "default");
  expect(await salts(site)).toEqual(before);

  await site.restart(() => {}, "--plaintext");
  expect(await salts(site, "plain")).toEqual(before);
  const { cert, key } = await testIdentity();
  const files = [site.folder.join("cert.pem"), site.folder.join("key.pem")] as const;
  writeFileSync(files[0], cert);
  writeFileSync(files[1], key);
  await site.restart(() => {}, "--cert", files[0], "--key", files[1]);
  expect(await salts(site)).toEqual(before);
});

test("a server that has made no token yet keeps its salts, too, and shows its first invite when somebody can see it", async () => {
  await using site = await AccessSite.start("--plaintext", "--open");
  const file = `${site.stateDir}/tokens.json`;
  // As after a first start that had nobody to show a token to.
  await site.restart(() => {
    const { saltKey } = JSON.parse(readFileSync(file, "utf8"));
    rmSync(file);
    writeFileSync(file, JSON.stringify({ version: 1, saltKey, issued: false, tokens: [] }));
  });
  const before = await salts(site, "plain");
  expect(site.server.events[0]?.["invite"]).toStartWith("csinvite1_");
  await site.restart();
  expect(site.server.events[0]?.["invite"]).toBeNull();
  expect(await salts(site, "plain")).toEqual(before);
});
