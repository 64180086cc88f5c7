import type { Ask } from "../app/asks.ts";
import type { AppEvent } from "../app/events.ts";
import type { ToPage } from "../app/page-port.ts";

/** A question that failed: what happened, by its code. */
export class AskError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface ChannelEvents {
  onEvent(event: AppEvent): void;
  /** The application can be asked. */
  onOpen(): void;
  /** The application does not answer, and is tried again. */
  onLost(): void;
  /** The application does not know this browser, or is another one by now. */
  onRefused(): void;
}

interface Waiting {
  part(part: unknown): void;
  resolve(result: unknown): void;
  reject(error: AskError): void;
}

/** As the server closes a page that it does not know. */
const NOT_ADMITTED = 4401;
const FIRST_DELAY_MS = 300;
const MAX_DELAY_MS = 5_000;

/** Questions to the application over a WebSocket that comes back after it was lost. */
export class Channel {
  readonly #events: ChannelEvents;
  readonly #secret: string;
  readonly #waiting = new Map<number, Waiting>();
  #socket: WebSocket | undefined;
  #last = 0;
  #delayMs = FIRST_DELAY_MS;

  constructor(secret: string, events: ChannelEvents) {
    this.#secret = secret;
    this.#events = events;
    this.#connect();
  }

  /** Ask, and get the parts of the answer as they come. @throws AskError */
  ask(ask: Ask, part: (part: unknown) => void = () => {}): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      if (this.#socket?.readyState !== WebSocket.OPEN) return reject(lost());
      this.#waiting.set(id, { part, resolve, reject });
      this.#socket.send(JSON.stringify({ id, ...ask }));
    });
  }

  #connect(): void {
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/socket`);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#delayMs = FIRST_DELAY_MS;
      socket.send(JSON.stringify({ secret: this.#secret }));
      this.#events.onOpen();
    });
    socket.addEventListener("message", ({ data }) => this.#take(JSON.parse(String(data)) as ToPage));
    socket.addEventListener("close", ({ code }) => {
      for (const { reject } of this.#waiting.values()) reject(lost());
      this.#waiting.clear();
      if (code === NOT_ADMITTED) return this.#events.onRefused();
      this.#events.onLost();
      setTimeout(() => this.#connect(), this.#delayMs);
      this.#delayMs = Math.min(MAX_DELAY_MS, this.#delayMs * 2);
    });
  }

  #take(message: ToPage): void {
    if ("event" in message) return this.#events.onEvent(message);
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    if ("part" in message) return waiting.part(message.part);
    this.#waiting.delete(message.id);
    if ("error" in message) waiting.reject(new AskError(message.error.code, message.error.message));
    else waiting.resolve(message.result);
  }
}

function lost(): AskError {
  return new AskError("LOST", "The program does not answer.");
}
