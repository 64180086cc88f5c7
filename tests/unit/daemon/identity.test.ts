import { describe, expect, test } from "bun:test";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { openIdentity, parseIdentity, rotateIdentity } from "../../../lib/daemon/identity.ts";
import { formatFingerprint } from "../../../lib/transport/tls.ts";
import { testIdentity } from "../../support/identity.ts";
import { noOpenssl, openssl, opensslTest } from "../../support/openssl.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const failed = expect.objectContaining({ name: "StorageError", code: "DISK_FAILED" });

describe("an identity", () => {
  test("is made once, for its owner alone, and the same from then on", async () => {
    using folder = new TempFolder();
    const file = folder.join("identity.pem");
    const made = await openIdentity(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder.path)).toEqual(["identity.pem"]);
    const text = readFileSync(file, "utf8");
    const again = await openIdentity(file);
    expect(Buffer.from(again.digest)).toEqual(Buffer.from(made.digest));
    expect(new X509Certificate(again.cert).raw).toEqual(new X509Certificate(made.cert).raw);
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  test("is EC P-256, signed by itself, and never over", async () => {
    const { cert, key } = await testIdentity();
    const certificate = new X509Certificate(cert);
    const privateKey = createPrivateKey(key);
    expect(privateKey.asymmetricKeyType).toBe("ec");
    expect(privateKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    expect(certificate.checkPrivateKey(privateKey)).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(new Date(certificate.validTo).getUTCFullYear()).toBe(9999);
    expect(new Date(certificate.validFrom).getTime()).toBe(0);
  });

  test("tells nothing of the machine", async () => {
    const { subject, subjectAltName } = new X509Certificate((await testIdentity()).cert);
    expect({ subject, subjectAltName }).toEqual({ subject: "CN=CommServer", subjectAltName: undefined });
  });

  test("is another for each server, and another after it is replaced", async () => {
    using folder = new TempFolder();
    const file = folder.join("identity.pem");
    const first = await openIdentity(file);
    const second = await rotateIdentity(file);
    const digests = [first, second, await testIdentity()].map(({ digest }) => Buffer.from(digest).toString("hex"));
    expect(new Set(digests).size).toBe(3);
    const serials = [first, second].map(({ cert }) => new X509Certificate(cert).serialNumber);
    expect(new Set(serials).size).toBe(2);
    expect(Buffer.from((await openIdentity(file)).digest)).toEqual(Buffer.from(second.digest));
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test.skipIf(noOpenssl !== undefined)(
    opensslTest("openssl agrees on the fingerprint, the key and the curve"),
    async () => {
      using folder = new TempFolder();
      const file = folder.join("identity.pem");
      const { digest } = await openIdentity(file);
      const shown = openssl("x509", "-in", file, "-noout", "-fingerprint", "-sha256");
      const hex = shown.trim().split("=")[1]?.replaceAll(":", "") as string;
      expect(hex.toLowerCase()).toBe(Buffer.from(digest).toString("hex"));
      expect(formatFingerprint(digest)).toBe(`SHA256:${Buffer.from(hex, "hex").toString("base64").slice(0, 43)}`);
      expect(openssl("x509", "-in", file, "-noout", "-text")).toContain("ASN1 OID: prime256v1");
      expect(openssl("x509", "-in", file, "-noout", "-pubkey")).toBe(openssl("pkey", "-in", file, "-pubout"));
      expect(openssl("verify", "-check_ss_sig", "-CAfile", file, file)).toContain("OK");
    },
  );
});

describe("a file that is not an identity is refused with a message, and left as it is", () => {
  const pem = async () => {
    const { cert, key } = await testIdentity();
    return { cert, key };
  };

  test.each<[string, (parts: { cert: string; key: string }) => string]>([
    ["empty", () => ""],
    ["something else", () => "not a certificate"],
    ["only a certificate", ({ cert }) => cert],
    ["only a key", ({ key }) => key],
    ["cut", ({ cert, key }) => `${key}\n${cert.slice(0, 100)}`],
    ["garbled", ({ cert, key }) => `${key}\n${cert.replace(/\n.{20}/, "\nAAAAAAAAAAAAAAAAAAAA")}`],
  ])("%s", async (_, make) => {
    using folder = new TempFolder();
    const file = folder.join("identity.pem");
    const text = make(await pem());
    writeFileSync(file, text);
    await expect(openIdentity(file)).rejects.toEqual(failed);
    await expect(openIdentity(file)).rejects.toThrow(file);
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  test("a key of another certificate", async () => {
    using folder = new TempFolder();
    const { cert } = await pem();
    const { key } = await rotateIdentity(folder.join("other.pem"));
    expect(() => parseIdentity(cert, key, "mine.pem")).toThrow(failed);
    expect(() => parseIdentity(cert, key, "mine.pem")).toThrow("the key is not the certificate's");
  });

  test("and the error does not quote the key", async () => {
    const { cert, key } = await pem();
    const lines = key.split("\n").slice(1, -1);
    const garbled = key.replace(lines[0] as string, "!!!!");
    try {
      parseIdentity(cert, garbled, "mine.pem");
      throw new Error("it was taken");
    } catch (thrown) {
      for (const line of lines) expect(String(thrown)).not.toContain(line);
    }
  });
});
