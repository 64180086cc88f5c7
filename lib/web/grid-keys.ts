import { type Folder, otherOf } from "./folder.ts";
import { moveChosen, openEntry, openParent, removeChosen, rename } from "./folder-actions.ts";

/** The height of a row, as the style has it. */
export const ROW_PX = 36;

export function onKey(event: KeyboardEvent, folder: Folder): void {
  const action = actionOf(event, folder);
  if (action === undefined) return;
  event.preventDefault();
  action();
}

function actionOf(event: KeyboardEvent, folder: Folder): (() => unknown) | undefined {
  const rows = folder.rows.value;
  const cursor = folder.cursor.value;
  const page = Math.max(
    1,
    Math.floor((document.getElementById(`grid-${folder.side}`)?.clientHeight ?? 400) / ROW_PX) - 2,
  );
  const move = (to: number) => () => moveCursor(folder, to, event.shiftKey);
  const entry = rows[cursor];
  if (event.altKey || ((event.ctrlKey || event.metaKey) && event.key !== "a")) return undefined;
  switch (event.key) {
    case "ArrowDown":
      return move(cursor + 1);
    case "ArrowUp":
      return move(cursor - 1);
    case "PageDown":
      return move(cursor + page);
    case "PageUp":
      return move(cursor - page);
    case "Home":
      return move(0);
    case "End":
      return move(rows.length - 1);
    case " ":
    case "Insert":
      return () => {
        if (entry !== undefined) folder.toggle(entry.name);
        folder.cursor.value = Math.min(rows.length - 1, cursor + 1);
      };
    case "a":
      if (!event.ctrlKey && !event.metaKey) return undefined;
      return () => folder.select(rows.map(({ name }) => name));
    case "Escape":
      return () => folder.select([]);
    case "Enter":
      return () => entry !== undefined && openEntry(folder, entry);
    case "Backspace":
    case "ArrowLeft":
      return () => openParent(folder);
    case "F2":
      return () => rename(folder);
    case "Delete":
      return () => removeChosen(folder);
    case "t":
      return () => moveChosen(folder);
    case "r":
      return () => folder.load();
    case "/":
      return () => document.getElementById(`filter-${folder.side}`)?.focus();
    case "o":
      return () => focusGrid(otherOf(folder).side);
    default:
      return undefined;
  }
}

function moveCursor(folder: Folder, to: number, isRange: boolean): void {
  const index = Math.max(0, Math.min(folder.rows.value.length - 1, to));
  if (isRange) folder.selectTo(index);
  else folder.select([folder.rows.value[index]?.name ?? ""]);
  folder.cursor.value = index;
}

export function focusGrid(side: "here" | "there"): void {
  document.getElementById(`grid-${side}`)?.focus();
}
