import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { EntryFacts } from "../app/events.ts";
import { adviceFor } from "./advice.ts";
import type { Folder, SortKey } from "./folder.ts";
import { openEntry } from "./folder-actions.ts";
import { formatMoment, formatSize, formatTime, shown } from "./format.ts";
import { onKey, ROW_PX } from "./grid-keys.ts";
import { Icon, iconOf } from "./icon.tsx";
import { t } from "./language.ts";

/** Rows above and below the window that are drawn, too. */
const SPARE_ROWS = 8;
/** The kind of what is dragged: the entries that are chosen on a side. */
export const DRAGGED = "application/x-commserver";

const COLUMNS: readonly (readonly [SortKey, "name" | "size" | "changed"])[] = [
  ["name", "name"],
  ["size", "size"],
  ["modifiedAt", "changed"],
];

/** The entries of a folder, of which only the rows in sight are drawn. */
export function Grid({ folder }: { folder: Folder }) {
  const { side } = folder;
  const box = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const height = useSignal(600);
  const rows = folder.rows.value;
  const cursor = Math.min(folder.cursor.value, Math.max(0, rows.length - 1));

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      height.value = element.clientHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  // The row that keys move to stays in sight.
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const [from, to] = [cursor * ROW_PX, (cursor + 1) * ROW_PX];
    if (from < element.scrollTop) element.scrollTop = from;
    else if (to > element.scrollTop + element.clientHeight) element.scrollTop = to - element.clientHeight;
  }, [cursor]);

  const window = useComputed(() => {
    const first = Math.max(0, Math.floor(top.value / ROW_PX) - SPARE_ROWS);
    return { first, last: first + Math.ceil(height.value / ROW_PX) + 2 * SPARE_ROWS };
  });
  const { first, last } = window.value;
  const { key, isDown } = folder.order.value;

  return (
    <div
      class="grid"
      role="grid"
      id={`grid-${side}`}
      aria-label={t(side)}
      aria-multiselectable="true"
      aria-rowcount={rows.length + 1}
      aria-colcount={3}
      aria-busy={folder.isLoading.value}
      aria-activedescendant={rows.length > 0 ? rowId(side, cursor) : undefined}
      tabIndex={0}
      onKeyDown={(event) => onKey(event, folder)}
    >
      <div class="grid-head" role="row" aria-rowindex={1}>
        {COLUMNS.map(([column, label]) => (
          <div
            role="columnheader"
            class={`cell ${label}`}
            aria-sort={key === column ? (isDown ? "descending" : "ascending") : "none"}
          >
            <button type="button" tabIndex={-1} onClick={() => folder.sortBy(column)}>
              {t(label)}
              {key === column && <span aria-hidden="true">{isDown ? " ↓" : " ↑"}</span>}
            </button>
          </div>
        ))}
      </div>
      <div
        class="grid-body"
        role="rowgroup"
        ref={box}
        onScroll={({ currentTarget }) => {
          top.value = currentTarget.scrollTop;
        }}
      >
        <div class="grid-space" role="presentation" style={{ height: `${rows.length * ROW_PX}px` }}>
          {rows.slice(first, last).map((entry, offset) => (
            <Row
              key={entry.name}
              entry={entry}
              index={first + offset}
              folder={folder}
              isCursor={first + offset === cursor}
            />
          ))}
        </div>
        <Nothing folder={folder} />
      </div>
    </div>
  );
}

function Nothing({ folder }: { folder: Folder }) {
  const error = folder.error.value;
  if (error !== undefined) {
    return (
      <div class="nothing" role="alert">
        <p>{shown(error.message)}</p>
        <p class="dim">{adviceFor(error.code)}</p>
      </div>
    );
  }
  if (folder.rows.value.length > 0) return null;
  if (folder.isLoading.value) return <p class="nothing">{t("loading")}</p>;
  return <p class="nothing">{t(folder.filter.value === "" && folder.search.value === "" ? "empty" : "nothingFits")}</p>;
}

interface RowProps {
  readonly entry: EntryFacts;
  readonly index: number;
  readonly folder: Folder;
  readonly isCursor: boolean;
}

function Row({ entry, index, folder, isCursor }: RowProps) {
  const { name, kind, size, modifiedAt } = entry;
  const isSelected = folder.selected.value.has(name);
  const press = (event: MouseEvent) => {
    if (event.shiftKey) folder.selectTo(index);
    else if (event.ctrlKey || event.metaKey || isOnMark(event)) folder.toggle(name);
    else folder.select([name]);
    folder.cursor.value = index;
  };
  return (
    <div
      role="row"
      id={rowId(folder.side, index)}
      class={`row ${isSelected ? "is-selected" : ""} ${isCursor ? "is-cursor" : ""}`}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      style={{ transform: `translateY(${index * ROW_PX}px)` }}
      draggable
      onClick={press}
      onDblClick={() => void openEntry(folder, entry)}
      onDragStart={(event) => {
        if (!isSelected) folder.select([name]);
        event.dataTransfer?.setData(DRAGGED, folder.side);
      }}
    >
      <div role="gridcell" class="cell name" title={shown(name)}>
        <span class="mark" aria-hidden="true">
          {isSelected && <Icon name="check" />}
        </span>
        <Icon name={iconOf(entry)} />
        <bdi>{shown(name)}</bdi>
        <span class="unseen">{t(kind)}</span>
      </div>
      <div role="gridcell" class="cell size">
        {kind === "file" ? formatSize(size) : ""}
      </div>
      <div role="gridcell" class="cell changed" title={formatMoment(modifiedAt)}>
        {formatTime(modifiedAt)}
      </div>
    </div>
  );
}

function isOnMark({ target }: MouseEvent): boolean {
  return target instanceof Element && target.closest(".mark") !== null;
}

function rowId(side: string, index: number): string {
  return `row-${side}-${index}`;
}
