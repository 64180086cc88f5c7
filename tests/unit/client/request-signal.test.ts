import { expect, spyOn, test } from "bun:test";
import { TestServer } from "../../support/test-server.ts";
import { until } from "../../support/until.ts";

test("a request lets go of its signal when it is over: a session may make a million of them", async () => {
  await using server = new TestServer();
  server.storage.set("a", new Uint8Array(3));
  const client = await server.client();
  const { signal } = new AbortController();
  using added = spyOn(signal, "addEventListener");
  using removed = spyOn(signal, "removeEventListener");
  for (let request = 0; request < 3; request++) {
    for await (const _ of client.list(undefined, signal));
  }
  expect(added.mock.calls.length).toBeGreaterThanOrEqual(3);
  await until(() => removed.mock.calls.length === added.mock.calls.length);
  expect(removed.mock.calls.map(([, listener]) => listener).toSorted()).toEqual(
    added.mock.calls.map(([, listener]) => listener).toSorted(),
  );
});
