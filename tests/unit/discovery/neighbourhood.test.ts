import { describe, expect, test } from "bun:test";
import type { Answer } from "dns-packet";
import fc from "fast-check";
import { MAX_SERVERS, Neighbourhood } from "../../../lib/discovery/neighbourhood.ts";
import { SERVICE } from "../../../lib/discovery/service.ts";
import { MAX_OF_SPEAKER } from "../../../lib/discovery/speaker.ts";

const FINGERPRINT = `SHA256:${"a".repeat(43)}`;

/** All records of a server, as it sends them. */
function records(
  name: string,
  { host = "lab.local", port = 5050, addresses = ["10.0.0.7"], ttl = 120 } = {},
): Answer[] {
  const fullName = `${name}.${SERVICE}`;
  return [
    { type: "PTR", name: SERVICE, ttl, data: fullName },
    { type: "SRV", name: fullName, ttl, data: { port, target: host } },
    { type: "TXT", name: fullName, ttl, data: ["txtvers=1", "tls=1", `fp=${FINGERPRINT}`, "seats=3"].map(Buffer.from) },
    ...addresses.map((data): Answer => ({ type: data.includes(":") ? "AAAA" : "A", name: host, ttl, data })),
  ];
}

const NEIGHBOUR = { address: "10.0.0.7", isOwn: false };

function found(...answers: Answer[]) {
  const neighbourhood = new Neighbourhood();
  neighbourhood.add(answers, NEIGHBOUR);
  return neighbourhood.list();
}

describe("records become servers:", () => {
  test("with name, addresses, port, identity and seats, by name", () => {
    expect(found(...records("b", { port: 5051 }), ...records("a"))).toEqual([
      { name: "a", port: 5050, hosts: ["10.0.0.7"], isEncrypted: true, fingerprint: FINGERPRINT, seats: 3 },
      { name: "b", port: 5051, hosts: ["10.0.0.7"], isEncrypted: true, fingerprint: FINGERPRINT, seats: 3 },
    ]);
  });

  test("in any order, over several packets, and whatever the case of names", () => {
    const neighbourhood = new Neighbourhood();
    for (const record of records("Lab", { host: "LAB.local" }).reverse()) {
      neighbourhood.add([{ ...record, name: record.name.toUpperCase() } as Answer], NEIGHBOUR);
    }
    expect(neighbourhood.list()).toMatchObject([{ name: "Lab", hosts: ["10.0.0.7"], seats: 3 }]);
  });

  test("IPv4 first, link-local addresses last, each once", () => {
    const addresses = ["fe80::1", "2001:db8::1", "10.0.0.7", "10.0.0.7", "fd00::1"];
    expect(found(...records("a", { addresses }))[0]?.hosts).toEqual(["10.0.0.7", "2001:db8::1", "fd00::1", "fe80::1"]);
  });

  test("with the machine's name where no address has come", () => {
    expect(found(...records("a", { addresses: [] }))[0]?.hosts).toEqual(["lab.local"]);
  });

  test("with the one address where the server says that it has no other", () => {
    const txt: Answer = { type: "TXT", name: `a.${SERVICE}`, data: ["txtvers=1", "at=10.9.9.9"] };
    expect(found(...records("a"), txt)[0]?.hosts).toEqual(["10.9.9.9"]);
  });

  test.each(["127.0.0.1", "::1", "224.0.0.251", "0.0.0.0"])("without the address %s that another one gives", (at) => {
    const txt: Answer = { type: "TXT", name: `a.${SERVICE}`, data: ["txtvers=1", `at=${at}`] };
    expect(found(...records("a"), txt)[0]?.hosts).toEqual(["10.0.0.7"]);
  });

  test("once for a server that speaks from several addresses", () => {
    const neighbourhood = new Neighbourhood();
    neighbourhood.add(records("a", { addresses: ["fe80::1"] }), { address: "fe80::1%eth0", isOwn: false });
    neighbourhood.add(records("a"), NEIGHBOUR);
    expect(neighbourhood.list().map(({ hosts }) => hosts)).toEqual([["10.0.0.7", "fe80::1"]]);
  });

  test("until they are taken back", () => {
    expect(found(...records("a"), ...records("a", { ttl: 0 }))).toEqual([]);
    expect(found(...records("a"), { type: "A", name: "lab.local", ttl: 0, data: "10.0.0.7" })[0]?.hosts).toEqual([
      "lab.local",
    ]);
  });

  test("and what is missing is asked for", () => {
    const neighbourhood = new Neighbourhood();
    const asked = () => neighbourhood.questions().map(({ type, name }) => `${type} ${name}`);
    const [ptr, srv, txt, a] = records("x") as [Answer, Answer, Answer, Answer];
    expect(asked()).toEqual([`PTR ${SERVICE}`]);
    neighbourhood.add([ptr], NEIGHBOUR);
    expect(asked()).toEqual([`PTR ${SERVICE}`, `SRV x.${SERVICE}`, `TXT x.${SERVICE}`]);
    neighbourhood.add([srv, txt], NEIGHBOUR);
    expect(asked()).toEqual([`PTR ${SERVICE}`, "A lab.local", "AAAA lab.local"]);
    neighbourhood.add([a], NEIGHBOUR);
    expect(asked()).toEqual([`PTR ${SERVICE}`]);
  });
});

describe("hostile records:", () => {
  test.each(["127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "::1", "ff02::1", "::ffff:127.0.0.1", "x"])(
    "another machine's word that its address is %s counts for nothing",
    (address) => {
      expect(found(...records("a", { addresses: [address] }))[0]?.hosts).toEqual(["lab.local"]);
    },
  );

  test("this machine's own word does", () => {
    const neighbourhood = new Neighbourhood();
    neighbourhood.add(records("a", { addresses: ["127.0.0.1"] }), { ...NEIGHBOUR, isOwn: true });
    expect(neighbourhood.list()[0]?.hosts).toEqual(["127.0.0.1"]);
  });

  test.each(["", ".", "-x.local", "\u001b[2J", "a b", "x;reboot", "$(x)"])(
    "a server at the host %j is none",
    (host) => {
      expect(found(...records("a", { host, addresses: [] }))).toEqual([]);
    },
  );

  test("a port of 0, and records of other services, are ignored", () => {
    expect(found(...records("a", { port: 0 }))).toEqual([]);
    expect(
      found(
        { type: "PTR", name: "_http._tcp.local", data: "x._http._tcp.local" },
        { type: "PTR", name: SERVICE, data: "x._http._tcp.local" },
        { type: "SRV", name: "x._http._tcp.local", data: { port: 1, target: "x.local" } },
        { type: "PTR", name: SERVICE, data: SERVICE },
        { type: "CNAME", name: SERVICE, data: SERVICE },
      ),
    ).toEqual([]);
  });

  test("one machine that names ten thousand servers gets few of them shown, and hides no other", () => {
    const neighbourhood = new Neighbourhood();
    const flood = { address: "10.0.0.66", isOwn: false };
    for (let index = 0; index < 10_000; index++) {
      const addresses = [`10.1.${index >> 8}.${index & 255}`];
      neighbourhood.add(records(`x${index}`, { host: `h${index}.local`, addresses }), flood);
      neighbourhood.add([{ type: "A", name: "h0.local", data: addresses[0] ?? "" }], flood);
    }
    neighbourhood.add(records("honest"), NEIGHBOUR);
    const servers = neighbourhood.list();
    expect(servers).toHaveLength(MAX_OF_SPEAKER + 1);
    expect(servers.find(({ name }) => name === "honest")?.hosts).toEqual(["10.0.0.7"]);
    expect(servers.find(({ name }) => name === "x0")?.hosts.length).toBeLessThanOrEqual(16);
    expect(neighbourhood.questions().length).toBeLessThan(30);
  });

  test("thousands of machines are a bounded number of servers", () => {
    const neighbourhood = new Neighbourhood();
    for (let machine = 0; machine < 2_000; machine++) {
      const from = { address: `10.3.${machine >> 8}.${machine & 255}`, isOwn: false };
      for (let index = 0; index < 8; index++) neighbourhood.add(records(`x${machine}-${index}`), from);
    }
    expect(neighbourhood.list()).toHaveLength(MAX_SERVERS);
  });

  test("nobody takes back or replaces what another machine says", () => {
    const neighbourhood = new Neighbourhood();
    const other = { address: "10.0.0.66", isOwn: false };
    neighbourhood.add(records("lab"), NEIGHBOUR);
    neighbourhood.add(records("lab", { ttl: 0 }), other);
    expect(neighbourhood.list()).toHaveLength(1);
    neighbourhood.add(records("lab", { port: 6666, addresses: ["10.0.0.66"] }), other);
    expect(neighbourhood.list().map(({ hosts, port }) => `${hosts}:${port}`)).toEqual([
      "10.0.0.7:5050",
      "10.0.0.66:6666",
    ]);
  });

  test("any records leave servers of a port and a host that can be typed", () => {
    const name = fc.oneof(
      fc.constantFrom(SERVICE, `a.${SERVICE}`, "lab.local"),
      fc.uint8Array().map((bytes) => new TextDecoder().decode(bytes)),
    );
    const data = fc.oneof(name, fc.ipV4(), fc.ipV6(), fc.string());
    const record = fc.oneof(
      fc.record({ type: fc.constantFrom("PTR", "A", "AAAA", "CNAME"), name, ttl: fc.nat(), data }),
      fc.record({
        type: fc.constant("SRV"),
        name,
        ttl: fc.nat(),
        data: fc.record({ port: fc.nat(65_535), target: data }),
      }),
      fc.record({ type: fc.constant("TXT"), name, data: fc.array(fc.oneof(fc.string(), fc.constant("txtvers=1"))) }),
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), fc.boolean(), (given, isOwn) => {
        const neighbourhood = new Neighbourhood();
        neighbourhood.add(given as unknown as Answer[], { ...NEIGHBOUR, isOwn });
        const typed = neighbourhood.list().map(({ hosts, port }) => ({ port: port > 0, hosts: hosts.join(" ") }));
        for (const each of typed) expect(each).toEqual({ port: true, hosts: expect.stringMatching(/^\w[\w.: -]*$/) });
      }),
    );
  });
});
