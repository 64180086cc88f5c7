import { Client } from "../../client/client.ts";
import { silenceFor } from "../../client/silence-watch.ts";
import { TransportError } from "../../errors.ts";
import { systemClock } from "../../session/clock.ts";
import { exposureOf } from "../../state/exposure.ts";
import { operatorSocket } from "../../state/state-dir.ts";
import { connect } from "../../transport/socket.ts";
import { processTrace } from "../trace-file.ts";
import { VERSION } from "../version.ts";

/** @throws TransportError CANNOT_CONNECT when no server runs with this state folder */
export async function connectSocket(stateDir: string, timeoutMs = 10_000): Promise<Client> {
  const path = operatorSocket(stateDir);
  // Whoever can put a socket there could play the server; root comes to look at what others run.
  const { canWrite } = exposureOf(stateDir);
  if (canWrite || (exposureOf(path).isAnothers && process.geteuid?.() !== 0)) {
    throw new TransportError(
      "CANNOT_CONNECT",
      `The operator's socket ${path} may be another's: others can change its folder.`,
    );
  }
  const transport = await connect({ kind: "unix", path }, { timeoutMs }).catch((cause) => {
    throw new TransportError("CANNOT_CONNECT", `No server runs with the operator's socket ${path}.`, { cause });
  });
  return Client.connect({
    transport: processTrace()(transport),
    clock: systemClock,
    agent: `commserver-server/${VERSION}`,
    wait: false,
    timeoutMs,
    silenceMs: silenceFor(timeoutMs),
  });
}
