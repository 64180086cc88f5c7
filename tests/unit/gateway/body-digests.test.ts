import { describe, expect, spyOn, test } from "bun:test";
import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { BodyDigests } from "../../../lib/gateway/body-digests.ts";

const BODY = new TextEncoder().encode("hello");
const of = (algorithm: string, encoding: "base64" | "hex") => createHash(algorithm).update(BODY).digest(encoding);

function isRight(headers: IncomingHttpHeaders): boolean {
  const digests = new BodyDigests(headers);
  digests.update(BODY.subarray(0, 2));
  digests.update(BODY.subarray(2));
  try {
    digests.check();
    return true;
  } catch {
    return false;
  }
}

describe("digests of a body", () => {
  test("are compared in each form", () => {
    for (const headers of [
      {},
      { "content-digest": `sha-256=:${of("sha256", "base64")}:` },
      { "repr-digest": `sha-512=:${of("sha512", "base64")}: , sha-256=:${of("sha256", "base64")}:` },
      { digest: `SHA-256=${of("sha256", "base64")},md5=${of("md5", "base64")}` },
      { digest: `sha=${of("sha1", "base64")}` },
      { "oc-checksum": `SHA1:${of("sha1", "hex")}` },
      { "oc-checksum": `SHA256:${of("sha256", "hex").toUpperCase()}` },
    ]) {
      expect([headers, isRight(headers)]).toEqual([headers, true]);
    }
  });

  test("that are wrong are found, also beside right ones", () => {
    const wrong = createHash("sha256").update("other").digest("base64");
    for (const headers of [
      { "content-digest": `sha-256=:${wrong}:` },
      { digest: `SHA-256=${wrong}` },
      { digest: "SHA-256=AAAA" },
      { "repr-digest": `sha-512=:${of("sha512", "base64")}:, sha-256=:${wrong}:` },
      { "oc-checksum": "MD5:00" },
    ]) {
      expect([headers, isRight(headers)]).toEqual([headers, false]);
    }
  });

  test("read the body once for each algorithm, however many a head lists", () => {
    using update = spyOn(Object.getPrototypeOf(createHash("md5")), "update");
    const list = [...Array(1_000).fill("md5=::"), "sha-256=::", "md5=:AAAA:"].join(",");
    new BodyDigests({ "content-digest": list, digest: "md5=AAAA" }).update(BODY);
    expect(update).toHaveBeenCalledTimes(2);
  });

  test("of an unknown kind are passed over, and what is no digest is refused", () => {
    expect(isRight({ "content-digest": "sha-3=:AAAA:", "oc-checksum": "ADLER32:0a0b0c0d" })).toBe(true);
    for (const headers of [
      { digest: "" },
      { digest: "SHA-256" },
      { "content-digest": "sha-256=AAAA" },
      { "repr-digest": ":AAAA:" },
      { "oc-checksum": "SHA1:xyz" },
    ]) {
      expect(() => new BodyDigests(headers)).toThrow("can't be read");
    }
  });
});
