import { describe, expect, test } from "bun:test";
import net from "node:net";
import fc from "fast-check";
import { isIPv4, isIPv6 } from "../../../lib/transport/ip-address.ts";

const number = fc.oneof(fc.nat(300).map(String), fc.constantFrom("", "00", "01", "0x1", "1e1", " 1", "٣"));
const ipv4 = fc.array(number, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("."));
const group = fc.oneof(
  fc.nat(0x1_ffff).map((value) => value.toString(16)),
  fc.constantFrom("", "", "FFFF", "00000", "g"),
);
const zone = fc.constantFrom("", "", "", "%eth0", "%25", "%", "%eth0.100", "%a:b", "%ä", "%1]", "/64");
const ipv6 = fc
  .tuple(fc.array(group, { maxLength: 10 }), fc.constantFrom("", "", ":", "::"), fc.option(ipv4), zone)
  .map(([groups, joint, tail, end]) => groups.join(":") + joint + (tail ?? "") + end);
const text = fc.oneof(
  ipv4,
  ipv6,
  fc.ipV4(),
  fc.ipV6(),
  fc.string(),
  fc.string({ unit: fc.constantFrom(..."0af:.%[]") }),
);

describe("an IP address", () => {
  test("is what node:net says that it is", () => {
    fc.assert(
      fc.property(text, (each) => {
        expect([each, isIPv4(each), isIPv6(each)]).toEqual([each, net.isIPv4(each), net.isIPv6(each)]);
      }),
      { numRuns: 20_000 },
    );
  });

  test.each([
    "::",
    "::1",
    "1::",
    "fe80::1%eth0",
    "::ffff:192.0.2.7",
    "64:ff9b::192.0.2.33",
    "2001:DB8:0:0:8:800:200C:417A",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "1:2:3:4:5:6:1.2.3.4",
    "1::2:3:4:1.2.3.4",
  ])("of version 6: %s", (each) => expect([isIPv4(each), isIPv6(each)]).toEqual([false, true]));

  test.each([
    "",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "::1%",
    "::1%eth 0",
    "[::1]",
    "::1]",
    "::1/64",
    "::01.2.3.4",
    "1.2.3.256",
    "1.2.3",
    "1.2.3.4.",
    "01.2.3.4",
    "127.1",
    "0x7f.0.0.1",
    "localhost",
    "127.0.0.1\n",
    "::1\n",
  ])("is not %j", (each) => expect([isIPv4(each), isIPv6(each)]).toEqual([false, false]));
});
