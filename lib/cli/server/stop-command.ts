import type { Client } from "../../client/client.ts";
import type { Operator } from "../../client/operator.ts";
import { MAX_STATUS_ROWS } from "../../protocol/methods.ts";
import { escapeText } from "../escape.ts";
import { plural } from "../format.ts";
import type { Answer, AnswerIo } from "./operator-answer.ts";

/** More clients are counted, not named. */
const MAX_NAMED = 3;

/** Stop the server; where somebody can answer and clients are connected, only after a question. */
export async function stopServer(operator: Operator, { confirmStop }: AnswerIo): Promise<Answer> {
  if (confirmStop !== undefined) {
    const connected = await whoIsConnected(operator.client);
    if (connected !== undefined && !(await confirmStop(connected))) {
      return { text: "The server runs on.", facts: { stopping: false } };
    }
  }
  await operator.quit();
  return { text: "The server stops.", facts: { stopping: true } };
}

/** A line about the connected clients; undefined when there are none. @throws as Client.status() */
export async function whoIsConnected(client: Client): Promise<string | undefined> {
  const { seats, sessions } = await client.status({ limit: MAX_STATUS_ROWS });
  if (seats.taken === 0) return undefined;
  const names = sessions.filter(({ endedAt }) => endedAt === null).map(({ name }) => escapeText(name));
  if (names.length !== seats.taken || names.length > MAX_NAMED) {
    return `${plural(seats.taken, "client")} ${seats.taken === 1 ? "is" : "are"} connected.`;
  }
  const last = names.reverse().pop() as string;
  return names.length === 0 ? `${last} is connected.` : `${names.join(", ")} and ${last} are connected.`;
}
