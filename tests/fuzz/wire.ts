/** One link of the fuzzer to the side under test: over memory or a socket. */
export interface Wire {
  send(bytes: Uint8Array): void;
  pause(): void;
  resume(): void;
  /** Send nothing more, and go on reading. Over memory there is no such thing: it is close() there. */
  halfClose(): void;
  close(): void;
  /** Vanish without a word. */
  reset(): void;
  /** True when the link is gone. */
  readonly closed: boolean;
  /** True when the other side sends nothing more. */
  readonly ended: boolean;
}

/** A side under test, as the player of a conversation meets it. */
export interface Stage {
  /** Make another link; what comes over it goes to `onBytes`. */
  dial(onBytes: (bytes: Uint8Array) => void): Wire | Promise<Wire>;
  /** Let the side under test work, for one turn. */
  turn(): Promise<void>;
  /** How many turns a peer waits for an answer when it only mutates, and when the answer must come. */
  readonly patience: { readonly mutated: number; readonly honest: number };
  /** A client under test is asked for something. */
  call?(what: string): void;
  /** Which side the frames come from. */
  readonly speaker: "server" | "client";
}
