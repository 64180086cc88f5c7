import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "../../lib/client/client.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { frame } from "../support/frames.ts";
import { MemoryPeer } from "../support/memory-peer.ts";
import { welcomeText } from "./admit.ts";
import { parseConversation } from "./corpus-format.ts";
import { Findings } from "./finding.ts";
import { openTarget } from "./targets/targets.ts";

/** What the fuzzer has found: each as its smallest conversation in corpus format, in findings/. */
const FINDINGS = [
  ["a client that goes is no failure of the server", "client-goes.txt"],
  ["a client's words are no failure of the server", "client-words.txt"],
  ["a session that was taken over ends with a code of sessions", "taken-over.txt"],
  ["a list whose client has gone before its first entry is ended", "list-left.txt"],
  ["a put goes on after files that it refuses, however their chunks are cut", "put-refusals.txt"],
  ["a download whose server ends its body too early fails", "get-ended.txt"],
  ["a download whose server ends its body before it was asked for anything fails", "get-ended-at-once.txt"],
  ["an upload whose server ends its body before anything was offered fails", "put-ended-at-once.txt"],
  ["an upload gives back a file that was answered before it was offered", "put-answered-early.txt"],
  [
    "an upload whose file is answered as it was about to be sent ends for the reason of its stream",
    "put-answered-while-looked-at.txt",
  ],
  ["a download gives back a file whose refusal was cut off", "get-refusal-cut.txt"],
  ["a client in the queue may wait for the rest of a frame", "queue-unended-frame.txt"],
] as const;

test.each(FINDINGS)("%s", async (_, file) => {
  const conversation = parseConversation(file, readFileSync(join(import.meta.dir, "findings", file), "utf8"));
  const findings = new Findings();
  const target = conversation.plays === "server" ? "client" : "memory";
  const site = await openTarget(target, { findings, seats: conversation.seats, count() {} });
  await site.run([conversation], false);
  await site[Symbol.asyncDispose]();
  expect(findings.take()).toEqual([]);
});

test("a client that wants no messages does not say that it has them", async () => {
  const [ours, theirs] = memoryPair();
  const peer = new MemoryPeer(ours);
  const connecting = Client.connect({
    transport: theirs,
    clock: new FakeClock(),
    agent: "t",
    wait: false,
    timeoutMs: 5_000,
  });
  await peer.send(frame("WELCOME", JSON.parse(welcomeText())));
  await connecting;
  await peer.send(frame("OPEN", { method: "message", params: { text: 5 } }, 2, 1));
  expect(peer.names.at(-1)).toBe("RESET");
  await peer.close();
});
