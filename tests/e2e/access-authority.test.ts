import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseInvite } from "../../lib/protocol/invite.ts";
import { AccessSite, errorOf, filesBelow } from "../support/access-site.ts";
import { binaries } from "../support/binaries.ts";
import { Authority, type Leaf, noOpenssl, openssl, opensslTest } from "../support/openssl.ts";
import { TempFolder } from "../support/temp-folder.ts";

let authority: Authority;

beforeAll(async () => {
  await binaries();
  if (noOpenssl === undefined) authority = new Authority();
}, 180_000);

afterAll(() => authority?.[Symbol.dispose]());

const flagsOf = ({ cert, key }: Leaf) => ["--cert", cert, "--key", key];

describe.skipIf(noOpenssl !== undefined)(opensslTest("a server with a certificate of an authority"), () => {
  /** A client that has a token, and trusts that authority. */
  function list(site: AccessSite, server: string, ...flags: string[]) {
    return site.client(["list", "-s", server, "--json", ...flags], { env: { COMMSERVER_TOKEN: site.token } });
  }

  test.each([
    ["something else", "alpha"],
    ["nothing", ""],
    ["a certificate that is garbled", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
  ])("is not trusted by a --ca that is %s, which is told in words", async (_, text) => {
    await using site = await AccessSite.start(...flagsOf(authority.leaf()));
    writeFileSync(site.folder.join("ca.pem"), text);
    const refused = await list(site, site.address, "--ca", site.folder.join("ca.pem"), "--accept-new");
    expect([2, 5, 9]).toContain(refused.exitCode);
    expect(errorOf(refused).code).not.toBe("UNEXPECTED");
  });

  test("is accepted with --ca by each of its names, and nothing is remembered", async () => {
    await using site = await AccessSite.start(...flagsOf(authority.leaf()));
    for (const server of [site.address, `localhost:${site.server.port}`]) {
      expect(await list(site, server, "--ca", authority.ca)).toMatchObject({ exitCode: 0, stderr: "" });
    }
    expect(readdirSync(site.folder.join("home"))).toEqual([]);
  });

  test("says in its invite that an authority stands for it, and shows the fingerprint", async () => {
    const leaf = authority.leaf();
    await using site = await AccessSite.start(...flagsOf(leaf));
    expect(parseInvite(site.invite).identity).toBe("authority");
    const hex = openssl("x509", "-in", leaf.cert, "-noout", "-fingerprint", "-sha256").trim().split("=")[1] as string;
    const digest = Buffer.from(hex.replaceAll(":", ""), "hex").toString("base64").slice(0, 43);
    expect(site.fingerprint).toBe(`SHA256:${digest}`);
    expect(existsSync(site.folder.join("state", "identity.pem"))).toBe(false);
  });

  test("is joined once, and found with --ca from then on, also with another certificate", async () => {
    await using site = await AccessSite.start(...flagsOf(authority.leaf()));
    expect((await site.client(["join", site.invite, "-n", "lab"])).exitCode).toBe(0);
    expect((await site.client(["list", "-s", "lab", "--ca", authority.ca])).exitCode).toBe(0);
    await site.restart(undefined, ...flagsOf(authority.leaf()));
    expect((await site.client(["list", "-s", "lab", "--ca", authority.ca])).exitCode).toBe(0);
  });

  test.each<[string, () => Leaf]>([
    ["another name", () => authority.leaf("DNS:example.org")],
    ["a date that is over", () => authority.leaf(undefined, -1)],
  ])("is refused with %s, and never asked about", async (_, make) => {
    await using site = await AccessSite.start(...flagsOf(make()));
    const args = ["list", "-s", site.address, "--json", "--ca", authority.ca, "--accept-new"];
    for (const variables of [{}, { NODE_TLS_REJECT_UNAUTHORIZED: "0" }]) {
      const refused = await site.client(args, { env: { COMMSERVER_TOKEN: site.token, ...variables } });
      expect(errorOf(refused)).toMatchObject({ code: "WRONG_IDENTITY", exit: 5 });
      expect(errorOf(refused).message).toMatch(/certificate of .* is not valid: .+\./);
    }
    expect(readdirSync(site.folder.join("home"))).toEqual([]);
  });

  test("is not known without --ca: its fingerprint can be trusted as any other", async () => {
    await using site = await AccessSite.start(...flagsOf(authority.leaf()));
    expect(errorOf(await list(site, site.address))).toMatchObject({ code: "UNKNOWN_IDENTITY", exit: 5 });
    expect((await list(site, site.address, "--accept-new")).exitCode).toBe(0);
    const identities = filesBelow(site.folder.join("home")).map(({ text }) => JSON.parse(text).identity);
    expect(identities).toEqual([site.fingerprint]);
  });

  test("is not replaced by a self-signed one, who joined it by its authority", async () => {
    await using site = await AccessSite.start();
    await using vouched = await AccessSite.start(...flagsOf(authority.leaf()));
    await site.client(["join", vouched.invite, "-n", "lab"]);
    const [file] = filesBelow(site.folder.join("home")).map(({ name }) => site.folder.join("home", name)) as [string];
    const entry = JSON.parse(readFileSync(file, "utf8"));
    await Bun.write(file, JSON.stringify({ ...entry, addresses: [site.address] }));
    for (const flags of [[], ["--accept-new"], ["--ca", authority.ca]]) {
      const refused = await site.client(["list", "-s", "lab", "--json", ...flags]);
      expect(errorOf(refused)).toMatchObject({ code: "WRONG_IDENTITY", exit: 5 });
    }
  });

  test.each(["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"])(
    "does not take the place of one that is pinned, whatever %s says",
    async (variable) => {
      await using site = await AccessSite.start();
      await site.client(["join", site.invite, "-n", "lab"]);
      await site.restart(undefined, ...flagsOf(authority.leaf()));
      const env = { [variable]: authority.ca };
      for (const flags of [[], ["--accept-new"]]) {
        const refused = await site.client(["list", "-s", "lab", "--json", ...flags], { env });
        expect(errorOf(refused)).toMatchObject({ code: "WRONG_IDENTITY", exit: 5 });
      }
    },
  );

  test("needs no flag from a second terminal of the same user", async () => {
    await using site = await AccessSite.start(...flagsOf(authority.leaf("DNS:files.example.org")));
    expect((await site.client(["list", "-s", site.address], { env: site.ownerEnv })).exitCode).toBe(0);
  });

  test("gets no identity of its own by a token that is made while it is stopped", async () => {
    await using site = await AccessSite.start(...flagsOf(authority.leaf()));
    site.server.signal("SIGTERM");
    await site.server.exited();
    const { stdout } = await site.operate("token", "add", "late", "--json");
    expect(parseInvite(JSON.parse(stdout).invite).identity).toBe("authority");
  });
});

describe.skipIf(noOpenssl !== undefined)(opensslTest("what people have as certificates and keys works"), () => {
  async function accepted(leaf: Leaf): Promise<void> {
    await using site = await AccessSite.start(...flagsOf(leaf));
    const env = { COMMSERVER_TOKEN: site.token };
    const listed = await site.client(["list", "-s", site.address, "--ca", authority.ca], { env });
    expect(listed).toMatchObject({ exitCode: 0, stderr: "" });
  }

  test("a key of RSA", () => accepted(authority.leaf(undefined, 20, "RSA")));

  test("both in one file", async () => {
    using folder = new TempFolder();
    const { cert, key } = authority.leaf();
    writeFileSync(folder.join("both.pem"), readFileSync(key, "utf8") + readFileSync(cert, "utf8"));
    await accepted({ cert: folder.join("both.pem"), key: folder.join("both.pem") });
  });

  test("a key in the older form, with its parameters in front", async () => {
    using folder = new TempFolder();
    const { cert, key } = authority.leaf();
    const parameters = openssl("ecparam", "-name", "prime256v1");
    writeFileSync(folder.join("ec.key"), parameters + openssl("ec", "-in", key));
    await accepted({ cert, key: folder.join("ec.key") });
  });
});

describe.skipIf(noOpenssl !== undefined)(opensslTest("--cert and --key"), () => {
  test("with a key behind a password are refused in words", async () => {
    using folder = new TempFolder();
    const { cert, key } = authority.leaf();
    openssl("pkey", "-in", key, "-aes256", "-passout", "pass:sesame", "-out", folder.join("locked.key"));
    const locked = await refused("--cert", cert, "--key", folder.join("locked.key"));
    expect(locked.exitCode).toBe(9);
    expect(locked.stderr).toMatch(/passw|passphrase|encrypted/i);
  });

  async function refused(...flags: string[]): Promise<{ exitCode: number; stderr: string }> {
    await using site = await AccessSite.start();
    site.server.signal("SIGTERM");
    await site.server.exited();
    return await site.operate("serve", "-r", site.folder.path, "--port", "0", ...flags);
  }

  test("belong together, and not to --plaintext", async () => {
    const { cert, key } = authority.leaf();
    expect((await refused("--cert", cert)).exitCode).toBe(2);
    expect((await refused("--key", key)).exitCode).toBe(2);
    expect((await refused("--cert", cert, "--key", key, "--plaintext")).exitCode).toBe(2);
  });

  test("that are not each other's are refused in words, and so is what is missing", async () => {
    const [a, b] = [authority.leaf(), authority.leaf()];
    const mixed = await refused("--cert", a.cert, "--key", b.key);
    expect(mixed.exitCode).toBe(9);
    expect(mixed.stderr).toContain("the key is not the certificate's");
    expect((await refused("--cert", "/nowhere.pem", "--key", a.key)).exitCode).toBe(6);
    const swapped = await refused("--cert", a.key, "--key", a.cert);
    expect(swapped.stderr).toContain("no certificate");
  });
});
