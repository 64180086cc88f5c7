import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect, listen } from "../../lib/transport/socket.ts";
import type { SocketTransport } from "../../lib/transport/socket-transport.ts";
import type { Credentials, TlsPeer } from "../../lib/transport/tls.ts";
import { testIdentity } from "../support/identity.ts";
import { Authority, type Leaf, noOpenssl, opensslTest } from "../support/openssl.ts";

/** What a client learns of a certificate that an authority has signed. */

let authority: Authority;
let other: Authority;

beforeAll(() => {
  if (noOpenssl !== undefined) return;
  authority = new Authority();
  other = new Authority();
});

afterAll(() => {
  authority?.[Symbol.dispose]();
  other?.[Symbol.dispose]();
});

const read = ({ cert, key }: Leaf): Credentials => ({
  cert: readFileSync(cert, "utf8"),
  key: readFileSync(key, "utf8"),
});

/** Whom a client sees that connects to `host` and trusts `ca`. */
async function seen(credentials: Credentials, host: string, ca: string | undefined): Promise<TlsPeer> {
  const peers: TlsPeer[] = [];
  const kept: SocketTransport[] = [];
  const listening = listen(
    { kind: "tcp", host: "127.0.0.1", port: 0 },
    (transport) => void kept.push(transport),
    credentials,
  );
  const { address } = listening;
  try {
    const transport = await connect(
      { kind: "tcp", host, port: address.kind === "tcp" ? address.port : 0 },
      { timeoutMs: 5_000, trust: { ca, verify: (peer) => void peers.push(peer) } },
    );
    transport.abort();
  } finally {
    listening.stop();
    for (const transport of kept) transport.abort();
  }
  return peers[0] as TlsPeer;
}

describe.skipIf(noOpenssl !== undefined)(opensslTest("a certificate of an authority"), () => {
  test.each(["localhost", "127.0.0.1"])("holds for a name in it: %s", async (host) => {
    expect((await seen(read(authority.leaf()), host, authority.caPem)).fault).toBeUndefined();
  });

  test("has the fingerprint of the leaf, not of the chain's others", async () => {
    const leaf = read(authority.leaf());
    const { fingerprint } = await seen(leaf, "localhost", authority.caPem);
    const digest = new X509Certificate(leaf.cert).fingerprint256.replaceAll(":", "");
    expect(fingerprint).toBe(`SHA256:${Buffer.from(digest, "hex").toString("base64").replace("=", "")}`);
  });

  test("may be one of several in the file of authorities", async () => {
    const both = `${other.caPem}\n${authority.caPem}`;
    expect((await seen(read(authority.leaf()), "localhost", both)).fault).toBeUndefined();
  });

  test.each([
    ["another name", "DNS:example.org"],
    ["a name that ours is the beginning of", "DNS:localhost.example.org"],
    ["a name that ends as ours", "DNS:xlocalhost"],
    ["another address", "IP:192.0.2.1"],
  ])("does not hold with %s", async (_, names) => {
    expect((await seen(read(authority.leaf(names)), "localhost", authority.caPem)).fault).toBeString();
  });

  test("does not hold for an address that it has only as a name, and the other way round", async () => {
    expect((await seen(read(authority.leaf("DNS:localhost")), "127.0.0.1", authority.caPem)).fault).toBeString();
    expect((await seen(read(authority.leaf("IP:127.0.0.1")), "localhost", authority.caPem)).fault).toBeString();
  });

  test("does not hold when it has expired", async () => {
    expect((await seen(read(authority.leaf(undefined, -1)), "localhost", authority.caPem)).fault).toMatch(/expired/);
  });

  test("does not hold without its authority among those that are trusted", async () => {
    expect((await seen(read(authority.leaf()), "localhost", undefined)).fault).toBeString();
    expect((await seen(read(authority.leaf()), "localhost", other.caPem)).fault).toBeString();
  });

  test("does not hold without the one between", async () => {
    const { cert, key } = read(authority.leaf());
    const [leaf] = cert.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/s) ?? [];
    expect((await seen({ cert: leaf as string, key }, "localhost", authority.caPem)).fault).toBeString();
  });

  test("a self-signed one does not hold, whatever authorities are trusted", async () => {
    expect((await seen(await testIdentity(), "localhost", authority.caPem)).fault).toBeString();
  });
});
