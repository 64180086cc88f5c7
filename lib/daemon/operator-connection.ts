import { Client } from "../client/client.ts";
import { silenceFor } from "../client/silence-watch.ts";
import { TransportError } from "../errors.ts";
import { systemClock } from "../session/clock.ts";
import type { Transport } from "../session/transport.ts";
import { exposureOf } from "../state/exposure.ts";
import { operatorSocket } from "../state/state-dir.ts";
import { connect } from "../transport/socket.ts";

const CONNECT_MS = 10_000;

export interface OperatorOptions {
  /** Program and version, for the server. */
  readonly agent: string;
  /** Wraps the transport, to trace its frames. */
  readonly trace: (transport: Transport) => Transport;
  readonly timeoutMs?: number;
}

/** A client with the role operator. @throws TransportError CANNOT_CONNECT when no server runs with this state folder */
export async function connectLocalOperator(stateDir: string, options: OperatorOptions): Promise<Client> {
  const { agent, trace, timeoutMs = CONNECT_MS } = options;
  const path = operatorSocket(stateDir);
  // Another user who can put a socket there could pose as the server. Root may operate the servers of others.
  const { canWrite } = exposureOf(stateDir);
  if (canWrite || (exposureOf(path).isAnothers && process.geteuid?.() !== 0)) {
    throw new TransportError(
      "CANNOT_CONNECT",
      `The operator's socket ${path} may belong to another user: others can change its folder.`,
    );
  }
  const transport = await connect({ kind: "unix", path }, { timeoutMs }).catch((cause) => {
    throw new TransportError("CANNOT_CONNECT", `No server runs with the operator's socket ${path}.`, { cause });
  });
  return Client.connect({
    transport: trace(transport),
    clock: systemClock,
    agent,
    wait: false,
    timeoutMs,
    silenceMs: silenceFor(timeoutMs),
  });
}
