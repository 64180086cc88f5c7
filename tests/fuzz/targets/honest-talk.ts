import { Client } from "../../../lib/client/client.ts";
import { memoryPair } from "../../../lib/transport/memory-transport.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { watch } from "../../support/outcomes.ts";
import { TestServer } from "../../support/test-server.ts";
import { ROLE } from "../admit.ts";
import { oneTurn, within } from "./site.ts";

const MAX_TURNS = 2_000;

/** An honest client and its honest server, in the process of those under test: it is served whatever happens to them. */
export class HonestTalk implements AsyncDisposable {
  readonly #clock = new FakeClock();
  readonly #test = new TestServer({ clock: this.#clock });
  #client: Promise<Client> | undefined;

  async talk(report: (oracle: string, detail: string) => void): Promise<void> {
    const talking = watch(this.#talk());
    await within(MAX_TURNS, oneTurn, () => talking.state !== "pending");
    if (talking.state === "resolved") return;
    report("honest client", talking.state === "pending" ? "waits for ever beside the others" : String(talking.error));
  }

  async #talk(): Promise<void> {
    this.#client ??= this.#connect();
    const client = await this.#client;
    await client.ping();
    if ((await client.send("hello")).text !== "hello ACK") throw new Error("no ACK");
    for await (const _ of client.list());
  }

  #connect(): Promise<Client> {
    this.#test.storage.set("honest.txt", Buffer.from("hello"));
    const [ours, theirs] = memoryPair();
    this.#test.server.accept(theirs, ROLE);
    return Client.connect({ transport: ours, clock: this.#clock, agent: "honest", wait: false, timeoutMs: 5_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#test[Symbol.asyncDispose]();
  }
}
