import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { factsFromTxt, factsToTxt, instanceName, isInstanceName, SERVICE } from "../../../lib/discovery/service.ts";

const FINGERPRINT = `SHA256:${"a".repeat(43)}`;

function strings(values: Record<string, string>): Buffer[] {
  return Object.entries(values).map(([key, value]) => Buffer.from(`${key}=${value}`));
}

describe("the TXT record", () => {
  test("holds the identity, seats and address, and is read again as it was written", () => {
    const txt = factsToTxt({ fingerprint: FINGERPRINT, seats: 3, address: "10.0.0.7" });
    expect(txt).toEqual({ txtvers: "1", tls: "1", fp: FINGERPRINT, seats: "3", at: "10.0.0.7" });
    expect(factsFromTxt(strings(txt))).toEqual({
      isEncrypted: true,
      fingerprint: FINGERPRINT,
      seats: 3,
      address: "10.0.0.7",
    });
  });

  test("of a server without encryption has no identity", () => {
    const txt = factsToTxt({ fingerprint: null, seats: 9 });
    expect(txt).toEqual({ txtvers: "1", tls: "0", seats: "9" });
    expect(factsFromTxt(strings(txt))).toEqual({ isEncrypted: false, seats: 9 });
    expect(factsFromTxt(strings({ ...txt, fp: FINGERPRINT }))).toEqual({ isEncrypted: false, seats: 9 });
  });

  test("of another version, or without one, says nothing", () => {
    const txt = factsToTxt({ fingerprint: FINGERPRINT, seats: 3 });
    expect(factsFromTxt(strings({ ...txt, txtvers: "2" }))).toEqual({});
    expect(factsFromTxt(strings({ seats: "3" }))).toEqual({});
  });

  test.each([
    ["seats", "0"],
    ["seats", "-1"],
    ["seats", "1e3"],
    ["seats", "9999999"],
    ["fp", "SHA256:short"],
    ["fp", `SHA256:${"\u{1b}".repeat(43)}`],
    ["tls", "yes"],
    ["at", "example.org"],
    ["at", "1.2.3.4:5"],
  ])("leaves out %s=%j, which makes no sense", (key, value) => {
    expect(factsFromTxt(strings({ txtvers: "1", tls: "1", [key]: value }))).toEqual(
      key === "tls" ? {} : { isEncrypted: true },
    );
  });

  test("may have unknown, empty and repeated keys, of which the first counts", () => {
    const txt = [...strings({ txtvers: "1", SEATS: "3" }), ...strings({ seats: "4", more: "x=y" })];
    expect(factsFromTxt([...txt, Buffer.from("flag"), Buffer.from(""), Buffer.from("=x")])).toEqual({ seats: 3 });
  });

  test("of any bytes is read without a fault", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (txt) => {
        factsFromTxt([Buffer.from("txtvers=1"), ...txt]);
      }),
    );
  });
});

describe("a server's name", () => {
  test.each([["lab"], ["Ana's files"], ["x".repeat(56)]])("may be %j", (name) =>
    expect(isInstanceName(name)).toBe(true),
  );

  test.each([[""], [" "], ["lab "], ["lab.local"], ["a\\"], ["a\nb"], ["a\u0000"], ["x".repeat(57)], ["Büro"]])(
    "can't be %j",
    (name) => expect(isInstanceName(name)).toBe(false),
  );

  test("is the first part of the full name, in which the service's part has no case", () => {
    expect(instanceName(`My files.${SERVICE}`)).toBe("My files");
    expect(instanceName("Lab._CommServer._TCP.Local")).toBe("Lab");
    for (const other of [SERVICE, `.${SERVICE}`, "lab._http._tcp.local", "lab", "", `${"x".repeat(64)}.${SERVICE}`])
      expect(instanceName(other)).toBeUndefined();
  });
});
