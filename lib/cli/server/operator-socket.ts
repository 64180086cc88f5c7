import { Client } from "../../client/client.ts";
import { TransportError } from "../../errors.ts";
import { systemClock } from "../../session/clock.ts";
import { connect } from "../../transport/socket.ts";
import { silenceFor } from "../client/connection.ts";
import { operatorSocket } from "../state-dir.ts";
import { VERSION } from "../version.ts";

/** @throws TransportError CANNOT_CONNECT when no server runs with this state folder */
export async function connectSocket(stateDir: string, timeoutMs = 10_000): Promise<Client> {
  const path = operatorSocket(stateDir);
  const transport = await connect({ kind: "unix", path }, { timeoutMs }).catch((cause) => {
    throw new TransportError("CANNOT_CONNECT", `No server runs with the operator's socket ${path}.`, { cause });
  });
  return Client.connect({
    transport,
    clock: systemClock,
    agent: `commserver-server/${VERSION}`,
    wait: false,
    timeoutMs,
    silenceMs: silenceFor(timeoutMs),
  });
}
