import type { Client } from "../client/client.ts";
import { CommError, toCommError } from "../errors.ts";
import type { MessageParams } from "../protocol/methods.ts";
import { secretIn } from "../protocol/secret-text.ts";
import type { Clock } from "../session/clock.ts";
import type { MessageFacts } from "./events.ts";

/** The messages that are kept for pages that open later. */
const MAX_KEPT = 1_000;

export interface ConversationParts {
  readonly clock: Pick<Clock, "wallTime">;
  /** Tell all pages that are open. @returns how many there are */
  onMessage(message: MessageFacts): number;
}

/** The messages of this run of the application, in both directions. */
export class Conversation {
  readonly #parts: ConversationParts;
  readonly #messages: MessageFacts[] = [];
  #last = 0;

  constructor(parts: ConversationParts) {
    this.#parts = parts;
  }

  get all(): readonly MessageFacts[] {
    return this.#messages;
  }

  /**
   * A pushed message has arrived.
   *
   * @throws CommError NOT_DELIVERED when no page is open that could show it: the sender learns it, or the server keeps
   * the message
   */
  receive(message: MessageParams): void {
    const { from, token, nick, to, text, sentAt } = message;
    const facts: MessageFacts = {
      id: ++this.#last,
      at: sentAt ?? this.#parts.clock.wallTime(),
      isOurs: false,
      from,
      token,
      nick,
      to,
      text,
      ...(sentAt !== undefined && { wasKept: true }),
    };
    if (this.#parts.onMessage(facts) === 0) throw new CommError("NOT_DELIVERED", "No page is open to show it.");
    this.#keep(facts);
  }

  /** Send a text: to the server, to a name, or to "all". What becomes of it is told with the message. */
  async send(client: Pick<Client, "send">, text: string, to: string | undefined): Promise<void> {
    const sent: MessageFacts = {
      id: ++this.#last,
      at: this.#parts.clock.wallTime(),
      isOurs: true,
      to: to ?? "",
      text,
      delivery: "sending",
    };
    this.#change(sent);
    try {
      const secret = secretIn(text);
      if (secret !== undefined)
        throw new CommError("BAD_PARAMS", `Not sent: the text holds ${secret}, which is a secret.`);
      const { delivered, failed, kept, text: answer } = await client.send(text, to);
      if (to === undefined) return this.#change({ ...sent, delivery: "delivered", note: answer });
      const note = failed.map(({ name, message }) => `${name}: ${message}`).join("\n");
      const delivery = kept !== undefined ? "kept" : delivered.length > 0 ? "delivered" : "failed";
      this.#change({ ...sent, delivery, ...(note !== "" && { note }) });
    } catch (thrown) {
      this.#change({ ...sent, delivery: "failed", note: toCommError(thrown).message });
      throw thrown;
    }
  }

  #change(message: MessageFacts): void {
    const at = this.#messages.findIndex(({ id }) => id === message.id);
    if (at === -1) this.#keep(message);
    else this.#messages[at] = message;
    this.#parts.onMessage(message);
  }

  #keep(message: MessageFacts): void {
    this.#messages.push(message);
    if (this.#messages.length > MAX_KEPT) this.#messages.shift();
  }
}
