import { describe, expect, test } from "bun:test";
import { rotateIdentity } from "../../lib/daemon/identity.ts";
import { CommError } from "../../lib/errors.ts";
import type { Address } from "../../lib/transport/address.ts";
import { connectFirst } from "../../lib/transport/connect-first.ts";
import { type Listening, listen } from "../../lib/transport/socket.ts";
import type { SocketTransport } from "../../lib/transport/socket-transport.ts";
import { formatFingerprint, type Trust } from "../../lib/transport/tls.ts";
import { testIdentity } from "../support/identity.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TransportRecorder } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";

/** A machine with several addresses, of which some are not the server's. */
class Machine implements Disposable {
  readonly #listening: Listening[] = [];
  readonly links: TransportRecorder[] = [];

  /** The server that is meant. */
  async server(): Promise<Address> {
    return this.#listen(await testIdentity());
  }

  /** One with another identity. */
  async impostor(): Promise<Address> {
    using folder = new TempFolder();
    return this.#listen(await rotateIdentity(folder.join("identity.pem")));
  }

  /** Where nobody listens. */
  closed(): Address {
    const listening = listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, () => {});
    listening.stop();
    return listening.address;
  }

  /** Where connections are taken and nothing is said. */
  silent(): Address {
    const listening = listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, (transport) => this.#keep(transport));
    this.#listening.push(listening);
    return listening.address;
  }

  [Symbol.dispose](): void {
    for (const { transport } of this.links) transport.abort();
    for (const listening of this.#listening) listening.stop();
  }

  #listen(credentials: { cert: string; key: string }): Address {
    const at = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
    const listening = listen(at, (transport) => this.#keep(transport), credentials);
    this.#listening.push(listening);
    return listening.address;
  }

  #keep(transport: SocketTransport): void {
    this.links.push(new TransportRecorder(transport).start());
  }
}

/** Takes the server that is meant. */
async function pinned(): Promise<Trust> {
  const right = formatFingerprint((await testIdentity()).digest);
  return {
    verify({ fingerprint }) {
      if (fingerprint !== right) throw new CommError("WRONG_IDENTITY", "another");
    },
  };
}

async function first(addresses: Address[], timeoutMs = 5_000, signal?: AbortSignal): Promise<SocketTransport> {
  return connectFirst(addresses, { timeoutMs, signal, trust: await pinned() });
}

type Place = (machine: Machine) => Address | Promise<Address>;
const closed: Place = (machine) => machine.closed();
const silent: Place = (machine) => machine.silent();
const impostor: Place = (machine) => machine.impostor();
const server: Place = (machine) => machine.server();

describe("of several addresses", () => {
  const ways: [string, Place[]][] = [
    ["the only one", [server]],
    ["one behind a closed port", [closed, server]],
    ["one behind another server", [impostor, server]],
    ["one behind one that says nothing", [silent, server]],
    ["one behind all of these", [closed, impostor, silent, server]],
    ["one in front of another server", [server, impostor]],
  ];
  test.each(ways)("the right server is found at %s", async (_, places) => {
    using machine = new Machine();
    const addresses: Address[] = [];
    for (const place of places) addresses.push(await place(machine));
    const transport = await first(addresses);
    expect(transport.channelBinding).toHaveLength(32);
    transport.abort();
  });

  test("those that lost are left alone: no link stays, and no byte was sent", async () => {
    using machine = new Machine();
    const addresses = [
      await machine.server(),
      await machine.server(),
      await machine.impostor(),
      await machine.silent(),
    ];
    const transport = await first(addresses);
    transport.write(Buffer.from("HELLO"));
    await until(() => machine.links.some(({ byteCount }) => byteCount > 0));
    const spoken = machine.links.filter(({ byteCount }) => byteCount > 0);
    expect(spoken.map(({ text }) => text)).toEqual(["HELLO"]);
    transport.abort();
    await until(() => machine.links.every(({ closes }) => closes.length > 0));
  });

  const failures: [string, Place[], string][] = [
    ["nobody listens anywhere", [closed, closed], "CANNOT_CONNECT"],
    ["there is only another server", [closed, impostor], "WRONG_IDENTITY"],
    ["another server comes first", [impostor, closed], "WRONG_IDENTITY"],
    ["all are silent", [silent, silent], "TIMEOUT"],
  ];
  test.each(failures)("when %s, the most useful failure is reported", async (_, places, code) => {
    using machine = new Machine();
    const addresses: Address[] = [];
    for (const place of places) addresses.push(await place(machine));
    await expect(first(addresses, 300)).rejects.toMatchObject({ code });
  });

  test("an interruption ends all attempts", async () => {
    using machine = new Machine();
    const stop = new AbortController();
    const attempt = first([machine.silent(), machine.silent()], 5_000, stop.signal);
    await until(() => machine.links.length > 0);
    stop.abort();
    await expect(attempt).rejects.toMatchObject({ code: "INTERRUPTED" });
    await until(() => machine.links.every(({ closes }) => closes.length > 0));
  });
});
