/** Lists of an operator, whose records leave one after the other. */
import { expect, test } from "bun:test";
import type { Streaming } from "../../../lib/server/method.ts";
import { links } from "../../../lib/server/methods/links.ts";
import { tokens } from "../../../lib/server/methods/tokens.ts";
import { unfinished } from "../../../lib/server/methods/unfinished.ts";
import { settle } from "../../support/fake-clock.ts";

const RECORD = { name: "n", path: "p", role: "read", createdAt: 1, expiresAt: 2, size: 3, modifiedAt: 4 };
const store = { list: () => [RECORD, RECORD, RECORD] };

async function* records() {
  yield* store.list();
}

const server = {
  tokens: { store },
  links: { store },
  clock: { wallTime: () => 0 },
  storage: { unfinished: records },
};

/** Takes a record whenever the test says so. */
class SlowStream {
  readonly done: string[] = [];
  #next = Promise.withResolvers<void>();

  accept(): void {
    this.done.push("accept");
  }

  write(): Promise<void> {
    this.done.push("write");
    return this.#next.promise;
  }

  async end(): Promise<void> {
    this.done.push("end");
  }

  take(): void {
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers();
    resolve();
  }
}

type Handled = Parameters<Streaming<never>["handle"]>[0];

test.each([
  ["tokens", tokens],
  ["links", links],
  ["unfinished", unfinished],
] as const)("%s: a record waits until the one before was taken", async (_name, method) => {
  const stream = new SlowStream();
  const handled = method.handle({ stream, server, params: {} } as unknown as Handled);
  const told = ["accept"];
  for (const _ of store.list()) {
    told.push("write");
    await settle();
    expect(stream.done).toEqual(told);
    stream.take();
  }
  await handled;
  expect(stream.done).toEqual([...told, "end"]);
});
