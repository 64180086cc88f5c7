import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { CommError, StorageError, toCommError } from "../errors.ts";
import { quote } from "../quote.ts";
import { Ledger } from "../server/ledger.ts";
import { requireOwnState } from "../state/foreign-state.ts";
import { readPrivate, writePrivate } from "../state/private-file.ts";
import { identityFile, ledgerFile } from "../state/state-dir.ts";
import { readTextFile } from "../state/text-file.ts";
import { certificatesIn, privateKeyIn } from "../transport/pem.ts";
import type { CertificateFiles } from "./settings.ts";

/** A server's certificate, and the key that proves it. Both PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
  /** SHA-256 of the certificate (DER). */
  readonly digest: Uint8Array;
}

/** The digest of the public key, as curl takes it (`--pinnedpubkey`): SHA-256 of the SubjectPublicKeyInfo. */
export function publicKeyPin({ cert }: Pick<Identity, "cert">): string {
  const spki = new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" });
  return `sha256//${createHash("sha256").update(spki).digest("base64")}`;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** "No well-defined expiration date" (RFC 5280, section 4.1.2.5): clients pin the certificate itself. */
const NEVER = new Date("9999-12-31T23:59:59Z");

/** The identity that the settings name, otherwise the state folder's. @throws as openIdentity(), readTextFile() */
export async function findIdentity(stateDir: string, given: CertificateFiles | undefined): Promise<Identity> {
  if (given === undefined) return openIdentity(identityFile(stateDir));
  const { certFile, keyFile } = given;
  return parseIdentity(await readTextFile(certFile), await readTextFile(keyFile), certFile);
}

/**
 * The identity in `file`, made there at the first start.
 *
 * @throws StorageError DISK_FAILED when the file holds no identity; DISK_DENIED, DISK_FULL
 */
export async function openIdentity(file: string): Promise<Identity> {
  const pem = readPrivate(file);
  return pem === undefined ? rotateIdentity(file) : parseIdentity(pem, pem, file);
}

/** A new identity in `file`, which is replaced. @throws StorageError DISK_DENIED, DISK_FULL, DISK_FAILED */
export async function rotateIdentity(file: string): Promise<Identity> {
  const { cert, key } = await createCertificate();
  writePrivate(file, `${key}\n${cert}\n`);
  return { cert, key, digest: digestOf(cert) };
}

/**
 * As rotateIdentity(), for the state folder of a server: a running server would keep the old identity.
 *
 * @throws CommError STATE_IN_USE while a server runs; as rotateIdentity(), requireOwnState()
 */
export async function rotateIdentityOf(stateDir: string): Promise<Identity> {
  requireOwnState(stateDir);
  const ledger = lockState(stateDir);
  try {
    return await rotateIdentity(identityFile(stateDir));
  } finally {
    ledger.close();
  }
}

/** @throws CommError STATE_IN_USE */
function lockState(stateDir: string): Ledger {
  try {
    return Ledger.open(ledgerFile(stateDir));
  } catch (cause) {
    if (toCommError(cause).code !== "STATE_IN_USE") throw cause;
    throw new CommError("STATE_IN_USE", "A server runs with this identity.", { cause });
  }
}

/**
 * An identity made elsewhere. `source` names it in the error.
 *
 * @throws StorageError DISK_FAILED when `cert` and `key` are not a certificate and its key
 */
export function parseIdentity(cert: string, key: string, source: string): Identity {
  const chain = certificatesIn(cert).join("\n");
  const keyPem = privateKeyIn(key);
  try {
    if (chain === "" || keyPem === undefined) throw new Error("it has no certificate, or no key");
    if (!new X509Certificate(chain).checkPrivateKey(createPrivateKey(keyPem))) {
      throw new Error("the key is not the certificate's");
    }
    return { cert: chain, key: keyPem, digest: digestOf(chain) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError("DISK_FAILED", `${quote(source)} holds no identity: ${why}.`, { cause });
  }
}

function digestOf(cert: string): Uint8Array {
  return createHash("sha256").update(new X509Certificate(cert).raw).digest();
}

async function createCertificate(): Promise<{ cert: string; key: string }> {
  // Imported here because a server needs it only once. The library needs the metadata of its classes.
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
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return { cert: certificate.toString("pem"), key: key.export({ format: "pem", type: "pkcs8" }).toString().trim() };
}
