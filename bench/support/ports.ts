import type { Subprocess } from "bun";
import { until } from "../../tests/support/until.ts";

/** A port of 127.0.0.1 that was free a moment ago, for servers that can't choose and report one. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

/** Wait until something accepts connections on `port`. @throws Error when `server` ends instead */
export async function untilListening(port: number, server: Subprocess): Promise<void> {
  await until(async () => {
    if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode} before it listened`);
    return canConnect(port);
  });
}

async function canConnect(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}
