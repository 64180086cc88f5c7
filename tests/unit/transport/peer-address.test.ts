import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { UNKNOWN_ADDRESS } from "../../../lib/session/transport.ts";
import { formatHostPort, isLoopback } from "../../../lib/transport/address.ts";
import { peerAddressOf } from "../../../lib/transport/peer-address.ts";
import { addressOf } from "../../support/peer-address.ts";

const group = (peer: string) => addressOf(peer).group;

describe("the group of an address", () => {
  test.each([
    ["IPv4 by itself, whatever the port", "203.0.113.7:1", "203.0.113.7:65535", true],
    ["two of IPv4", "203.0.113.7:1", "203.0.113.8:1", false],
    ["two of one /64", "[2001:db8:0:1::1]:1", "[2001:db8:0:1:ffff:ffff:ffff:ffff]:9", true],
    ["two of neighbouring /64", "[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1", false],
    ["one address in two spellings", "[2001:db8::1]:1", "[2001:0DB8:0000:0000:0:0:0:1]:1", true],
    ["zeros left out in front and behind", "[::1:2:3:4]:1", "[0:0:0:0:1:2:3:4]:1", true],
    ["zeros left out at the end", "[2001:db8:1:2::]:1", "[2001:db8:1:2:3:4:5:6]:1", true],
    ["a scope means nothing within its link", "[fe80::1%eth0]:1", "[fe80::2%eth0]:1", true],
    ["IPv4 in IPv6's dress, and without", formatHostPort("::ffff:203.0.113.7", 1), "203.0.113.7:1", true],
  ])("%s", (_, a, b, isOne) => expect(group(a) === group(b)).toBe(isOne));

  test("is the first 64 bits of any IPv6 address", () => {
    const words = (count: number) =>
      fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: count, maxLength: count });
    fc.assert(
      fc.property(words(4), words(4), words(4), (network, a, b) => {
        const address = (host: number[]) => `[${[...network, ...host].map((word) => word.toString(16)).join(":")}]:1`;
        expect(group(address(a))).toBe(group(address(b)));
      }),
    );
  });
});

describe("this machine itself", () => {
  test.each(["127.0.0.1:5", "127.8.9.10:5", "[::1]:5", formatHostPort("::ffff:127.0.0.1", 5)])("is %s", (peer) =>
    expect(addressOf(peer).isLoopback).toBe(true),
  );

  test.each(["128.0.0.1:5", "10.127.0.1:5", "[::2]:5", "[2001:db8::1]:5", "[fe80::1%lo]:5", "203.0.113.7:5"])(
    "is not %s",
    (peer) => expect(addressOf(peer).isLoopback).toBe(false),
  );

  test("what looks like an address of a network and is none is not taken for it by its beginning", () => {
    expect(addressOf("127.0.0.1.example.org:5").group).not.toBe("127.0.0.1");
  });

  test.each(["127.example.org", "127.0.0.1.example.org", "127.1", "::1.example.org", "localhost.example.org"])(
    "is not the name %s",
    (host) => expect(isLoopback(host)).toBe(false),
  );
});

describe("an address that can't be read", () => {
  const UNREAD = [undefined, "", "unix", "terminal", "127.0.0.1.example.org", "127.1", "1.2.3", "::1::", "a%b"];

  test.each(UNREAD)("%j is not this machine", (host) => expect(peerAddressOf(host).isLoopback).toBe(false));

  test.each(UNREAD)("%j shares its limits with all others that can't be read", (host) =>
    expect(peerAddressOf(host).group).toBe(UNKNOWN_ADDRESS.group),
  );

  test("shares them with no address that can", () => {
    for (const host of ["192.0.2.7", "::", "::1"]) expect(peerAddressOf(host).group).not.toBe(UNKNOWN_ADDRESS.group);
  });
});
