import { expect, test } from "bun:test";
import { FakeTransport } from "../../support/fake-transport.ts";
import { TestServer } from "../../support/test-server.ts";

/** A peer that is refused at its first bytes, and never reads why. */
function refusedPeer(server: TestServer): FakeTransport {
  const peer = new FakeTransport();
  server.server.accept(peer);
  peer.handler?.onBytes(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
  return peer;
}

const aborted = (peers: readonly FakeTransport[]) => peers.map((peer) => peer.aborted);

test("refused peers that stay are cut off when there are too many of them, the first of them first", async () => {
  await using server = new TestServer({ maxPassing: 2 });
  const peers = [refusedPeer(server), refusedPeer(server)];
  expect(peers.every((peer) => peer.closed)).toBe(true);
  expect(aborted(peers)).toEqual([false, false]);
  peers.push(refusedPeer(server));
  expect(aborted(peers)).toEqual([true, false, false]);
  for (const peer of peers) peer.handler?.onClosed(undefined);
});

test("refused peers that are gone count no more", async () => {
  await using server = new TestServer({ maxPassing: 2 });
  const peers = [refusedPeer(server), refusedPeer(server)];
  peers[0]?.handler?.onClosed(undefined);
  peers.push(refusedPeer(server));
  expect(aborted(peers)).toEqual([false, false, false]);
  for (const peer of peers.slice(1)) peer.handler?.onClosed(undefined);
});

test("a peer in its handshake makes a refused one that stays go", async () => {
  await using server = new TestServer({ maxPassing: 2 });
  const peers = [refusedPeer(server), refusedPeer(server)];
  const newcomer = new FakeTransport();
  server.server.accept(newcomer);
  expect(aborted([...peers, newcomer])).toEqual([true, false, false]);
  for (const peer of [...peers, newcomer]) peer.handler?.onClosed(undefined);
});
