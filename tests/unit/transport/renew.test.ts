import { expect, test } from "bun:test";
import { openIdentity } from "../../../lib/daemon/identity.ts";
import { connect, listen } from "../../../lib/transport/socket.ts";
import type { TlsPeer } from "../../../lib/transport/tls.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

test("a listener that gets new certificates refuses nobody meanwhile, and ends no connection", async () => {
  using folder = new TempFolder();
  const [first, second] = [await openIdentity(folder.join("1.pem")), await openIdentity(folder.join("2.pem"))];
  const ends: string[] = [];
  const handlers = (name: string) => ({
    onBytes() {},
    onDrain() {},
    onClosed: () => void ends.push(name),
  });
  const listening = listen(
    { kind: "tcp", host: "127.0.0.1", port: 0 },
    (transport) => transport.start(handlers("server's")),
    first,
  );
  const seen = new Set<string>();
  const meet = async () => {
    const verify = ({ fingerprint }: TlsPeer) => void seen.add(fingerprint);
    return connect(listening.address, { timeoutMs: 10_000, trust: { verify } });
  };
  const old = await meet();
  old.start(handlers("old"));
  let isOver = false;
  let met = 0;
  const meeting = Array.from({ length: 2 }, async () => {
    while (!isOver) {
      (await meet()).abort();
      met++;
    }
  });
  for (let turn = 1; turn <= 20; turn++) {
    const before = met;
    await until(() => met > before);
    listening.renew(turn % 2 === 0 ? first : second);
  }
  isOver = true;
  await Promise.all(meeting);
  expect(seen.size).toBe(2);
  expect(ends).not.toContain("old");
  listening.stop();
  old.abort();
  await expect(connect(listening.address, { timeoutMs: 10_000 })).rejects.toMatchObject({ code: "CANNOT_CONNECT" });
});
