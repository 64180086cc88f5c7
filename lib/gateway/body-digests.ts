import { createHash, type Hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { StreamError } from "../errors.ts";

/** Checks the digests that a request gives for its body. */

/** Names of RFC 9530, RFC 3230 and OC-Checksum, all in lower case; others are not checked. */
const ALGORITHMS: Readonly<Record<string, string>> = {
  "sha-512": "sha512",
  "sha-256": "sha256",
  sha256: "sha256",
  sha: "sha1",
  sha1: "sha1",
  md5: "md5",
};

/** `sha-256=:BASE64:` (RFC 9530). */
const FIELD = /^\s*([a-z0-9-]+)=:([A-Za-z0-9+/]*={0,2}):\s*$/i;
/** `SHA-256=BASE64` (RFC 3230). */
const OLD_FIELD = /^\s*([a-z0-9-]+)=([A-Za-z0-9+/]+={0,2})\s*$/i;
/** `SHA1:HEX` (ownCloud). */
const CHECKSUM = /^([a-z0-9-]+):([0-9a-f]+)$/i;

interface Told {
  readonly algorithm: string;
  readonly digest: Buffer;
}

/** Compares a body with the digests in its head. */
export class BodyDigests {
  readonly #told: readonly Told[];
  /** One for each algorithm, however many digests a head lists, since each hashes the whole body. */
  readonly #hashes: ReadonlyMap<string, Hash>;
  /** At least one of them is that of the whole file, and not only of the body. */
  readonly isOfWhole: boolean;

  /** @throws StreamError BAD_PARAMS for digests that can't be read */
  constructor(headers: IncomingHttpHeaders) {
    const ofWhole = [
      ...listed(headers["repr-digest"], FIELD, "base64", "Repr-Digest"),
      ...listed(headers["digest"], OLD_FIELD, "base64", "Digest"),
      ...listed(headers["oc-checksum"], CHECKSUM, "hex", "OC-Checksum"),
    ];
    const ofBody = listed(headers["content-digest"], FIELD, "base64", "Content-Digest");
    this.isOfWhole = ofWhole.length > 0;
    this.#told = [...ofWhole, ...ofBody];
    const algorithms = new Set(this.#told.map(({ algorithm }) => algorithm));
    this.#hashes = new Map([...algorithms].map((algorithm) => [algorithm, createHash(algorithm)]));
  }

  update(bytes: Uint8Array): void {
    for (const hash of this.#hashes.values()) hash.update(bytes);
  }

  /** @throws StreamError DIGEST_MISMATCH */
  check(): void {
    const digests = new Map([...this.#hashes].map(([algorithm, hash]) => [algorithm, hash.digest()]));
    if (this.#told.every(({ algorithm, digest }) => digests.get(algorithm)?.equals(digest))) return;
    throw new StreamError("DIGEST_MISMATCH", "The body does not match its digest.");
  }
}

function listed(
  value: string | string[] | undefined,
  form: RegExp,
  encoding: "base64" | "hex",
  field: string,
): readonly Told[] {
  if (value === undefined) return [];
  return [value]
    .flat()
    .flatMap((list) => list.split(","))
    .flatMap((item) => {
      const [, name, text] = form.exec(item) ?? [];
      if (name === undefined || text === undefined) throw new StreamError("BAD_PARAMS", `${field} can't be read.`);
      const algorithm = ALGORITHMS[name.toLowerCase()];
      return algorithm === undefined ? [] : [{ algorithm, digest: Buffer.from(text, encoding) }];
    });
}
