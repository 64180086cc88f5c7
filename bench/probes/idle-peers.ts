/**
 * Sessions that do nothing: idle-peers PORT COUNT. Opens them by bare handshakes, prints a line when all are
 * admitted, and then only answers heartbeats, until it is stopped.
 */
import { frame, HELLO, parseFrames } from "../../tests/support/frames.ts";

/** Handshakes under way at once; well below what a server takes. */
const BATCH = 100;

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
const hello = frame("HELLO", HELLO);

for (let opened = 0; opened < count; opened += BATCH) {
  await Promise.all(Array.from({ length: Math.min(BATCH, count - opened) }, openSession));
}
process.stdout.write(`${JSON.stringify({ sessions: count })}\n`);

async function openSession(): Promise<void> {
  const admitted = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(peer, bytes) {
        // Frames this small arrive whole over loopback.
        for (const { name, payload } of parseFrames(bytes).frames) {
          if (name === "WELCOME") admitted.resolve();
          else if (name === "PING") peer.write(frame("PONG", payload));
          else fail(`the server sent ${name}: ${payload}`);
        }
      },
      close: () => fail("the server closed a session"),
    },
  });
  socket.write(hello);
  return admitted.promise;
}

function fail(message: string): never {
  process.stderr.write(`idle-peers: ${message}\n`);
  process.exit(1);
}
