import type { TransferItem } from "../../client/transfer.ts";
import { type CommError, RemoteError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import { escapeText } from "../escape.ts";
import type { TransferTerms, TransferView } from "./transfer-view.ts";

/** So many are asked about; the others are failures. */
const MAX_CONFLICTS = 100_000;

/** Files that exist at the target, gathered for one question instead of one failure each. */
export class Conflicts<Item extends TransferItem = TransferItem> {
  readonly #ask: TransferTerms["ask"];
  readonly #found: { item: Item; error: CommError }[] = [];

  /** Without `ask` every conflict is a failure. */
  constructor(ask: TransferTerms["ask"]) {
    this.#ask = ask;
  }

  get count(): number {
    return this.#found.length;
  }

  get items(): Item[] {
    return this.#found.map(({ item }) => item);
  }

  /** @returns false for a failure that must be told at once */
  collect(item: Item, error: CommError): boolean {
    if (this.#ask === undefined || error.code !== "EXISTS" || this.#found.length >= MAX_CONFLICTS) return false;
    this.#found.push({ item, error });
    return true;
  }

  /** Whether the person allows to replace them. */
  isAllowed(): Promise<boolean> {
    const [first] = this.#found;
    const what =
      this.#found.length === 1 && first !== undefined
        ? `${escapeText(wordsOf(first.item, first.error))} Replace it?`
        : `${this.#found.length} files exist. Replace them?`;
    return this.#ask?.(what) ?? Promise.resolve(false);
  }

  tell(view: TransferView): void {
    for (const { item, error } of this.#found) view.onFailed(item, error);
  }
}

/** What a person is asked about is said by this program alone. */
function wordsOf({ to }: TransferItem, error: CommError): string {
  return error instanceof RemoteError ? `${quote(to)} exists.` : error.message;
}
