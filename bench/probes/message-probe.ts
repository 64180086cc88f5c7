/** Round trips of a message: message-probe PORT TEXT. The client is the library, as in every program. */
import { Client } from "../../lib/client/client.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { connect } from "../../lib/transport/socket.ts";
import { answerRounds } from "./answer-rounds.ts";

const TIMEOUT_MS = 10_000;

const [port, text = ""] = process.argv.slice(2);
const client = await Client.connect({
  transport: await connect({ kind: "tcp", host: "127.0.0.1", port: Number(port) }, { timeoutMs: TIMEOUT_MS }),
  clock: systemClock,
  agent: "message-probe",
  wait: false,
  timeoutMs: TIMEOUT_MS,
});
await answerRounds(() => client.send(text));
process.exit(0);
