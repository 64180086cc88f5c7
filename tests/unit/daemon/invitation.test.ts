import { afterEach, describe, expect, mock, spyOn, test } from "bun:test";
import * as os from "node:os";
import type { Flags } from "../../../lib/cli/flags.ts";
import { advertiseFlag } from "../../../lib/cli/server/advertise-flag.ts";
import { identityOf, inviteFor } from "../../../lib/daemon/invitation.ts";
import { networkAddresses, ownAddresses } from "../../../lib/daemon/own-addresses.ts";
import { parseInvite } from "../../../lib/protocol/invite.ts";
import { parseAddress } from "../../../lib/transport/address.ts";
import { isServerName } from "../../../lib/trust/known-servers.ts";
import { testIdentity } from "../../support/identity.ts";

const advertised = (advertise: unknown) => advertiseFlag({ _: [], advertise } as Flags);

describe("the addresses of an invite", () => {
  test("are those of this machine that others may reach, IPv4 first, eight at most", () => {
    const addresses = ownAddresses(undefined, 6000);
    expect(addresses.length).toBeGreaterThan(0);
    expect(addresses.length).toBeLessThanOrEqual(8);
    for (const address of addresses) expect(parseAddress(address)).toMatchObject({ kind: "tcp", port: 6000 });
    const kinds = networkAddresses().map((address) => address.includes(":"));
    expect(kinds).toEqual([...kinds].sort((a, b) => Number(a) - Number(b)));
    const inner = Object.values(os.networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ internal }) => internal);
    for (const { address } of inner) expect(networkAddresses()).not.toContain(address);
  });

  test.each(["0.0.0.0", "::"])("are the same when the server listens at %s", (host) => {
    expect(ownAddresses(host, 6000)).toEqual(ownAddresses(undefined, 6000));
  });

  test.each([
    ["127.0.0.1", "127.0.0.1:6000"],
    ["files.example.org", "files.example.org:6000"],
    ["2001:db8::7", "[2001:db8::7]:6000"],
  ])("are the one that it listens at: %s", (host, address) => expect(ownAddresses(host, 6000)).toEqual([address]));
});

describe("the addresses of a machine with these networks", () => {
  afterEach(() => {
    mock.restore();
  });

  function addressesWith(...addresses: [address: string, family: "IPv4" | "IPv6", internal?: boolean][]): string[] {
    const infos = addresses.map(([address, family, internal = false]) => ({ address, family, internal }));
    spyOn(os, "networkInterfaces").mockReturnValue({ eth0: infos } as unknown as ReturnType<
      typeof os.networkInterfaces
    >);
    return ownAddresses(undefined, 6000);
  }
  const LOOPBACK = [
    ["127.0.0.1", "IPv4", true],
    ["::1", "IPv6", true],
    ["fe80::9", "IPv6", true],
  ] as [string, "IPv4" | "IPv6", boolean][];

  test("are those of the network, IPv4 before IPv6, without those of the link", () => {
    const found = addressesWith(...LOOPBACK, ["2001:db8::7", "IPv6"], ["fe80::1%eth0", "IPv6"], ["192.0.2.7", "IPv4"]);
    expect(found).toEqual(["192.0.2.7:6000", "[2001:db8::7]:6000"]);
  });

  test("are those of the link, which others on it can use, where there is nothing better", () => {
    expect(addressesWith(...LOOPBACK, ["fe80::1%eth0", "IPv6"])).toEqual(["[fe80::1]:6000"]);
  });

  test("are the machine's own where there is no network", () => {
    expect(addressesWith(...LOOPBACK)).toEqual(["127.0.0.1:6000"]);
  });

  test("are eight at most", () => {
    const many = Array.from({ length: 9 }, (_, index) => [`192.0.2.${index}`, "IPv4"] as [string, "IPv4"]);
    expect(addressesWith(...many)).toHaveLength(8);
  });

  test("have no zone, which other machines do not know", () => {
    expect(ownAddresses("fe80::1%eth0", 6000)).toEqual(["[fe80::1]:6000"]);
  });
});

describe("--advertise", () => {
  test("names them, with 5050 for the port that is not told", () => {
    expect(advertised("files.example.org, 192.0.2.7:6000,[2001:db8::7]:1")).toEqual([
      "files.example.org:5050",
      "192.0.2.7:6000",
      "[2001:db8::7]:1",
    ]);
    expect(advertised(undefined)).toBeUndefined();
  });

  test.each(["", ",", "a b", "host:0", "host:65536", "host:port", "a,,b"])("is refused when it is %j", (value) => {
    expect(() => advertised(value)).toThrow(expect.objectContaining({ code: "MALFORMED" }));
  });

  test.each([
    ["a socket, which no other machine has", "unix:/run/x.sock"],
    ["more addresses than an invite takes", Array.from({ length: 17 }, (_, index) => `host${index}`).join(",")],
  ])("is refused when it names %s", (_, value) => {
    expect(() => advertised(value)).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});

describe("an invite", () => {
  const token = { name: "laptop", secret: "s".repeat(43) };

  test("has all that a client needs, and a name that can be typed", () => {
    const identity = `SHA256:${"A".repeat(43)}`;
    const invite = parseInvite(inviteFor(token, { addresses: ["192.0.2.7:5050"], identity }));
    expect(invite).toMatchObject({ addresses: ["192.0.2.7:5050"], identity, token });
    expect(invite.label).toMatch(/^[a-z0-9_-]{1,32}$/);
  });

  test.each([
    ["Lab-7.example.org", "lab-7"],
    ["My Lab's PC", "mylabspc"],
    ["7lab", "server-7lab"],
    ["-lab", "server--lab"],
    ["localhost", "server"],
    ["localhost.localdomain", "server"],
    ["", "server"],
    [".example.org", "server"],
  ])("calls the server of a machine named %j %j, which a client can take for a name", (name, label) => {
    spyOn(os, "hostname").mockReturnValue(name);
    const invite = parseInvite(inviteFor(token, { addresses: ["192.0.2.7:5050"], identity: null }));
    expect([invite.label, isServerName(invite.label)]).toEqual([label, true]);
    mock.restore();
  });

  test("says whether the fingerprint, an authority or nothing stands for the server", async () => {
    const identity = await testIdentity();
    expect(identityOf(identity, false)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
    expect(identityOf(identity, true)).toBe("authority");
    expect(identityOf(undefined, false)).toBeNull();
  });
});
