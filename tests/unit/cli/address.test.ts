import { describe, expect, test } from "bun:test";
import { CommError } from "../../../lib/errors.ts";
import { type Address, formatAddress, formatHostPort, parseAddress } from "../../../lib/transport/address.ts";

const tcp = (host: string, port = 5050): Address => ({ kind: "tcp", host, port });
const unix = (path: string): Address => ({ kind: "unix", path });

describe("parseAddress()", () => {
  test.each([
    ["localhost", tcp("localhost")],
    ["localhost:6000", tcp("localhost", 6000)],
    ["192.0.2.7", tcp("192.0.2.7")],
    ["192.0.2.7:1", tcp("192.0.2.7", 1)],
    ["files.example.org:65535", tcp("files.example.org", 65_535)],
    ["host:05050", tcp("host")],
    ["::1", tcp("::1")],
    ["::", tcp("::")],
    ["2001:db8::1", tcp("2001:db8::1")],
    ["1:2:3:4:5:6:7:8", tcp("1:2:3:4:5:6:7:8")],
    ["[::1]", tcp("::1")],
    ["[::1]:6000", tcp("::1", 6000)],
    ["[2001:db8::1]:80", tcp("2001:db8::1", 80)],
    ["[fe80::1%eth0]:80", tcp("fe80::1%eth0", 80)],
    ["unix:/run/commserver.sock", unix("/run/commserver.sock")],
    ["unix:relative.sock", unix("relative.sock")],
    ["unix:/a:1/b c", unix("/a:1/b c")],
  ])("reads %p", (text, expected) => {
    expect(parseAddress(text)).toEqual(expected);
  });

  test.each([
    "",
    ":",
    ":5050",
    "host:",
    "host:0",
    "host:65536",
    "host:99999999999999999999",
    "host:-1",
    "host:1.5",
    "host:0x10",
    "host:port",
    "http://host",
    "host: 5050",
    "host:1:2",
    "a:b:c",
    "[::1]:0",
    "[::1]:65536",
    "unix:",
  ])("refuses %p and shows how to write it", (text) => {
    expect(() => parseAddress(text)).toThrow(
      new CommError("MALFORMED", `"${text}" is not an address: write HOST:PORT, [IPV6]:PORT or unix:PATH.`),
    );
  });

  test.each([
    "[::1",
    "::1]",
    "[]",
    "[]:5050",
    "[::1]:",
    "[::1]5050",
    " host",
    "ho st:5050",
    "host/path:80",
    "::1::2",
    "12345::",
    "::g",
    "1:2:3:4:5:6:7:host",
    "[host]:80",
    "[ ]:80",
  ])("refuses %p, which no host can be called", (text) => {
    expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: "MALFORMED" }));
  });
});

describe("formatAddress()", () => {
  test.each([
    [tcp("localhost"), "localhost:5050"],
    [tcp("::1", 80), "[::1]:80"],
    [unix("/run/x.sock"), "unix:/run/x.sock"],
  ])("%j is %p, which parseAddress() reads back", (address, text) => {
    expect(formatAddress(address)).toBe(text);
    expect(parseAddress(text)).toEqual(address);
  });

  test.each([
    ["::ffff:192.0.2.7", "192.0.2.7:80"],
    ["192.0.2.7", "192.0.2.7:80"],
    ["::ffff:1", "[::ffff:1]:80"],
    ["::ffff:c000:207", "[::ffff:c000:207]:80"],
    ["2001:db8::1", "[2001:db8::1]:80"],
  ])("formatHostPort() writes %p as %p", (host, expected) => {
    expect(formatHostPort(host, 80)).toBe(expected);
  });
});
