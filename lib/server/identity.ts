import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { StorageError } from "../errors.ts";
import { quote } from "../quote.ts";
import { readPrivate, writePrivate } from "../state/private-file.ts";

/** What a server shows of itself, and proves with its key. Both PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
  /** SHA-256 of the certificate (DER). */
  readonly digest: Uint8Array;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** "No well-defined expiration date" (RFC 5280, section 4.1.2.5): clients pin the certificate itself. */
const NEVER = new Date("9999-12-31T23:59:59Z");

/**
 * The identity in `file`, made there at the first start.
 *
 * @throws StorageError DISK_FAILED when what is there is no identity; DISK_DENIED, DISK_FULL
 */
export async function openIdentity(file: string): Promise<Identity> {
  const pem = readPrivate(file);
  return pem === undefined ? rotateIdentity(file) : parseIdentity(pem, pem, file);
}

/** A new identity in `file`, in place of what is there. @throws StorageError DISK_DENIED, DISK_FULL, DISK_FAILED */
export async function rotateIdentity(file: string): Promise<Identity> {
  const { cert, key } = await createCertificate();
  writePrivate(file, `${key}\n${cert}\n`);
  return { cert, key, digest: digestOf(cert) };
}

/**
 * An identity that others have made. `source` names it in the error.
 *
 * @throws StorageError DISK_FAILED when these are no certificate and its key
 */
export function parseIdentity(cert: string, key: string, source: string): Identity {
  const certPem = /-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----/s.exec(cert)?.[0];
  const keyPem = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----/s.exec(key)?.[0];
  try {
    if (certPem === undefined || keyPem === undefined) throw new Error("it has no certificate, or no key");
    if (!new X509Certificate(certPem).checkPrivateKey(createPrivateKey(keyPem))) {
      throw new Error("the key is not the certificate's");
    }
    return { cert: certPem, key: keyPem, digest: digestOf(certPem) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError("DISK_FAILED", `${quote(source)} is no identity: ${why}.`, { cause });
  }
}

function digestOf(cert: string): Uint8Array {
  return createHash("sha256").update(new X509Certificate(cert).raw).digest();
}

async function createCertificate(): Promise<{ cert: string; key: string }> {
  // Once in the life of a server: nobody else pays for it. The library needs the metadata of its classes.
  await import("reflect-metadata");
  const { X509CertificateGenerator } = await import("@peculiar/x509");
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: Buffer.from(crypto.getRandomValues(new Uint8Array(15))).toString("hex"),
    name: "CN=CommServer",
    notBefore: new Date(0),
    notAfter: NEVER,
    signingAlgorithm: ALGORITHM,
    keys,
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const lines = pkcs8.match(/.{1,64}/g) ?? [];
  const key = ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----"].join("\n");
  return { cert: certificate.toString("pem"), key };
}
