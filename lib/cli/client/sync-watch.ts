import { statSync } from "node:fs";
import type { Connection } from "../../client/connection.ts";
import type { MirrorOutcome } from "../../client/sync/keep-mirrored.ts";
import { type CommError, RemoteError, toCommError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";

export interface WatchedSourceTerms {
  readonly connection: Connection;
  readonly io: ConsoleIo;
  readonly isSending: boolean;
  /** The folder of this machine, and that of the repository; "" is its root. */
  readonly here: string;
  readonly there: string;
  readonly isQuiet: boolean;
  readonly json: boolean;
}

/**
 * The source of a mirror that goes on: a folder that may be away for a while, as a disk that is not mounted. The mirror
 * then waits for it, and deletes nothing.
 */
export class WatchedSource {
  readonly #terms: WatchedSourceTerms;
  #state: "there" | "away" | "back" = "there";

  constructor(terms: WatchedSourceTerms) {
    this.#terms = terms;
  }

  /** It was away, and has not been mirrored since then: if it is empty, more is missing than its files. */
  get isBack(): boolean {
    return this.#state === "back";
  }

  /**
   * Run `mirror`, which returns an exit code, if the source is there.
   *
   * @throws as `mirror`, but not because the source is away
   */
  async mirror(mirror: () => Promise<number>): Promise<MirrorOutcome> {
    try {
      if (this.#state === "away") {
        await this.#look();
        this.#state = "back";
        await this.#tell("is back.", "returned");
      }
      const exit = await mirror();
      if (exit !== 0) return "partly";
      this.#state = "there";
      return "whole";
    } catch (thrown) {
      if (!this.#isAway(toCommError(thrown))) throw thrown;
      if (this.#state !== "away") await this.#tell("is not there. Nothing is deleted; waiting for it …", "away");
      this.#state = "away";
      return "absent";
    }
  }

  /** @throws when it is not there */
  async #look(): Promise<void> {
    const { connection, isSending, here, there } = this.#terms;
    if (isSending) statSync(here);
    else if (there !== "") await connection.persist((client) => client.stat(there));
  }

  #isAway(error: CommError): boolean {
    if (this.#terms.isSending) return error.code === "NO_SUCH_FILE" || errorCodeOf(error) === "ENOENT";
    return error instanceof RemoteError && (error.code === "NOT_FOUND" || error.code === "UNREADABLE");
  }

  async #tell(what: string, event: "away" | "returned"): Promise<void> {
    const { io, isSending, here, there, isQuiet, json } = this.#terms;
    const name = isSending ? here : `:${there}`;
    if (json) await io.out(`${toJson({ event, source: name })}\n`);
    else if (!isQuiet || event === "away") io.note(escapeText(`The source ${quote(name)} ${what}`));
  }
}

/** The system's code of an error that looking at a file has had. */
function errorCodeOf({ cause }: CommError): string | undefined {
  return cause instanceof Error && "code" in cause ? String(cause.code) : undefined;
}
