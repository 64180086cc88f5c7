import { batch, computed, signal } from "@preact/signals";
import type { Side } from "../app/asks.ts";
import type { EntryFacts, Listing } from "../app/events.ts";
import { AskError } from "./channel.ts";
import { ask, listEntries, onFolderChange, onReturn, showTrouble } from "./session.ts";

export type SortKey = "name" | "size" | "modifiedAt";
export interface Order {
  readonly key: SortKey;
  readonly isDown: boolean;
}

/** What one pane shows: a folder of a side, or what a search has found in it. */
export class Folder {
  readonly side: Side;
  readonly path = signal("");
  readonly listing = signal<Listing | undefined>(undefined);
  readonly entries = signal<readonly EntryFacts[]>([]);
  readonly isLoading = signal(false);
  readonly error = signal<AskError | undefined>(undefined);
  readonly order = signal<Order>({ key: "name", isDown: false });
  readonly filter = signal("");
  /** The text that was searched for; "" when the folder itself is shown. */
  readonly search = signal("");
  readonly selected = signal<ReadonlySet<string>>(new Set());
  /** The row that keys move from. */
  readonly cursor = signal(0);
  #turn = 0;

  constructor(side: Side) {
    this.side = side;
    onFolderChange((changed, path) => {
      if (changed === this.side && path === this.path.value) void this.load();
    });
    onReturn(() => void this.load());
  }

  /** The rows in their order. */
  readonly rows = computed(() => {
    const wanted = this.filter.value.normalize("NFC").toLowerCase();
    const entries = this.entries.value;
    const fitting =
      wanted === "" ? entries : entries.filter(({ name }) => name.normalize("NFC").toLowerCase().includes(wanted));
    return sorted(fitting, this.order.value);
  });

  readonly chosen = computed(() => this.rows.value.filter(({ name }) => this.selected.value.has(name)));

  /** The path of an entry on its side. */
  pathOf(name: string): string {
    const path = this.listing.value?.path ?? this.path.value;
    if (this.side === "there") return path === "" ? name : `${path}/${name}`;
    return /[\\/]$/.test(path)
      ? path + name
      : `${path}${path.includes("\\") && !path.startsWith("/") ? "\\" : "/"}${name}`;
  }

  async open(path: string): Promise<void> {
    batch(() => {
      this.path.value = path;
      this.filter.value = "";
      this.search.value = "";
      this.selected.value = new Set();
      this.cursor.value = 0;
    });
    await this.load();
  }

  async find(text: string): Promise<void> {
    batch(() => {
      this.search.value = text;
      this.filter.value = "";
      this.selected.value = new Set();
      this.cursor.value = 0;
    });
    await this.load();
  }

  /** Look again. The last question wins, whichever is answered last. */
  async load(): Promise<void> {
    const turn = ++this.#turn;
    const { side } = this;
    const [path, text] = [this.path.value, this.search.value];
    this.isLoading.value = true;
    try {
      const { entries, listing } = await listEntries(
        text !== "" && side === "there" ? { ask: "search", side, path, text } : { ask: "list", side, path },
      );
      if (turn !== this.#turn) return;
      batch(() => {
        this.entries.value = entries;
        this.listing.value = listing;
        this.error.value = undefined;
        const names = new Set(entries.map(({ name }) => name));
        this.selected.value = new Set([...this.selected.value].filter((name) => names.has(name)));
        this.cursor.value = Math.max(0, Math.min(this.cursor.value, entries.length - 1));
      });
      if (text === "") await ask({ ask: "follow", side, path });
    } catch (thrown) {
      if (turn !== this.#turn) return;
      const error = thrown instanceof AskError ? thrown : new AskError("UNEXPECTED", String(thrown));
      batch(() => {
        this.error.value = error;
        if (error.code !== "LOST" && error.code !== "CANNOT_CONNECT") this.entries.value = [];
      });
      if (error.code === "UNEXPECTED") showTrouble(error);
    } finally {
      if (turn === this.#turn) this.isLoading.value = false;
    }
  }

  sortBy(key: SortKey): void {
    const { key: before, isDown } = this.order.value;
    this.order.value = { key, isDown: key === before ? !isDown : key !== "name" };
  }

  toggle(name: string): void {
    const selected = new Set(this.selected.value);
    if (!selected.delete(name)) selected.add(name);
    this.selected.value = selected;
  }

  select(names: readonly string[]): void {
    this.selected.value = new Set(names);
  }

  /** From the cursor to a row. */
  selectTo(index: number): void {
    const [from, to] = [Math.min(this.cursor.value, index), Math.max(this.cursor.value, index)];
    this.select(this.rows.value.slice(from, to + 1).map(({ name }) => name));
  }
}

/** Folders first, then by what is asked for, then by name. */
function sorted(entries: readonly EntryFacts[], { key, isDown }: Order): readonly EntryFacts[] {
  // A key for each entry, made once: to compare by the language takes too long for a hundred thousand.
  const keyed = entries.map((entry) => ({ entry, rank: entry.kind === "folder" ? 0 : 1, name: sortName(entry.name) }));
  const sign = isDown ? -1 : 1;
  keyed.sort((a, b) => {
    if (a.rank !== b.rank) return a.rank - b.rank;
    if (key !== "name" && a.entry[key] !== b.entry[key]) return sign * (a.entry[key] - b.entry[key]);
    const order = a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
    return key === "name" ? sign * order : order;
  });
  return keyed.map(({ entry }) => entry);
}

/** Numbers in names count as numbers. */
function sortName(name: string): string {
  return name.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(15, "0"));
}

/** The two sides. */
export const here = new Folder("here");
export const there = new Folder("there");
export const activeSide = signal<Side>("there");

export function folderOf(side: Side): Folder {
  return side === "here" ? here : there;
}

export function otherOf({ side }: Folder): Folder {
  return side === "here" ? there : here;
}
