import { useSignal } from "@preact/signals";
import { askDigest } from "./dialogs.tsx";
import { activeSide, type Folder, otherOf } from "./folder.ts";
import { makeFolder, moveChosen, openParent, removeChosen, rename } from "./folder-actions.ts";
import { formatCount, formatSize, shown } from "./format.ts";
import { DRAGGED, Grid } from "./grid.tsx";
import { focusGrid } from "./grid-keys.ts";
import { Icon, IconButton } from "./icon.tsx";
import { t } from "./language.ts";
import { link, names } from "./session.ts";

/** One side of the files: where it is, its tools, and its entries. */
export function Pane({ folder }: { folder: Folder }) {
  const { side } = folder;
  const isDropTarget = useSignal(false);
  const name = names.value[side === "here" ? "here" : "server"];
  const label = name === "" ? t(side) : t(side === "here" ? "hereIs" : "thereIs", { name: shown(name) });
  const drop = (event: DragEvent) => {
    isDropTarget.value = false;
    if (event.dataTransfer?.getData(DRAGGED) !== otherOf(folder).side) return;
    event.preventDefault();
    void moveChosen(otherOf(folder));
  };
  return (
    <section
      class={`pane ${side} ${activeSide.value === side ? "is-active" : ""} ${isDropTarget.value ? "is-drop" : ""}`}
      aria-label={label}
      onFocusCapture={() => {
        activeSide.value = side;
      }}
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes(DRAGGED)) return;
        event.preventDefault();
        isDropTarget.value = true;
      }}
      onDragLeave={() => {
        isDropTarget.value = false;
      }}
      onDrop={drop}
    >
      <header class="pane-head">
        <h2>
          <Icon name={side === "here" ? "hard-drive" : "server"} />
          <bdi>{label}</bdi>
        </h2>
        <Place folder={folder} />
        <Tools folder={folder} />
      </header>
      <Grid folder={folder} />
      <Foot folder={folder} />
    </section>
  );
}

/** Where it is: each folder above is a button. */
function Place({ folder }: { folder: Folder }) {
  const path = folder.listing.value?.path ?? folder.path.value;
  const isWindows = /^[A-Za-z]:/.test(path);
  const separator = isWindows ? "\\" : "/";
  const parts = path.split(/[\\/]/).filter((part) => part !== "");
  const root = folder.side === "there" ? t("root") : isWindows ? "" : "/";
  const pathTo = (count: number) => {
    const joined = parts.slice(0, count).join(separator);
    if (folder.side === "there") return joined;
    return isWindows ? `${joined}${count === 1 ? "\\" : ""}` : `/${joined}`;
  };
  return (
    <nav class="place" aria-label={`${t("place")}: ${t(folder.side)}`}>
      {root !== "" && (
        <button type="button" onClick={() => void folder.open(folder.side === "there" ? "" : "/")}>
          {root}
        </button>
      )}
      {parts.map((part, index) => (
        <>
          <Icon name="chevron-right" />
          <button
            type="button"
            aria-current={index === parts.length - 1 ? "location" : undefined}
            onClick={() => void folder.open(pathTo(index + 1))}
          >
            <bdi>{shown(part)}</bdi>
          </button>
        </>
      ))}
    </nav>
  );
}

function Tools({ folder }: { folder: Folder }) {
  const { side } = folder;
  const chosen = folder.chosen.value;
  const parent = folder.listing.value?.parent;
  const isSearch = folder.search.value !== "";
  const text = useSignal("");
  return (
    <div class="tools" role="toolbar" aria-label={t(side)}>
      <IconButton
        icon={side === "here" ? "arrow-up-from-line" : "arrow-down-to-line"}
        label={t(side === "here" ? "sendFiles" : "fetch")}
        class="tool primary"
        withText
        disabled={chosen.length === 0 || link.value.state !== "up"}
        onClick={() => void moveChosen(folder)}
      />
      <IconButton
        icon="arrow-up"
        label={t("up")}
        disabled={parent === undefined}
        onClick={() => void openParent(folder)}
      />
      <IconButton icon="refresh-cw" label={t("refresh")} onClick={() => void folder.load()} />
      <IconButton icon="folder-plus" label={t("newFolder")} onClick={() => void makeFolder(folder)} />
      <IconButton
        icon="pencil"
        label={t("rename")}
        disabled={chosen.length !== 1 || isSearch}
        onClick={() => void rename(folder)}
      />
      <IconButton
        icon="trash-2"
        label={t("remove")}
        disabled={chosen.length === 0}
        onClick={() => void removeChosen(folder)}
      />
      <IconButton
        icon="hash"
        label={t("digest")}
        disabled={chosen.length !== 1 || chosen[0]?.kind !== "file"}
        onClick={() => void askDigest(side, folder.pathOf(chosen[0]?.name ?? ""))}
      />
      <form
        class="find"
        role="search"
        aria-label={t(side === "there" ? "search" : "filter")}
        onSubmit={(event) => {
          event.preventDefault();
          if (side === "there" && text.value !== "") void folder.find(text.value);
        }}
      >
        <Icon name="search" />
        <input
          id={`filter-${side}`}
          type="search"
          placeholder={t(side === "there" ? "search" : "filter")}
          aria-label={t(side === "there" ? "search" : "filter")}
          value={text.value}
          onInput={({ currentTarget }) => {
            text.value = currentTarget.value;
            folder.filter.value = isSearch ? "" : currentTarget.value;
            if (isSearch && currentTarget.value === "") void folder.open(folder.path.value);
          }}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key !== "Escape" && event.key !== "ArrowDown") return;
            if (event.key === "Escape") {
              text.value = "";
              folder.filter.value = "";
              if (isSearch) void folder.open(folder.path.value);
            }
            focusGrid(side);
          }}
        />
      </form>
    </div>
  );
}

function Foot({ folder }: { folder: Folder }) {
  const { listing, chosen, rows } = folder;
  const count = rows.value.length;
  const bytes = chosen.value.reduce((sum, { size }) => sum + size, 0);
  const found = listing.value?.isCut
    ? t("resultsCut", { count: formatCount(count) })
    : t("results", { count: formatCount(count) });
  const all = count === 1 ? t("oneEntry") : t("entries", { count: formatCount(count) });
  return (
    <footer class="pane-foot" aria-live="polite">
      <span>{folder.search.value === "" ? all : found}</span>
      {chosen.value.length > 0 && (
        <span>{t("selected", { count: formatCount(chosen.value.length), size: formatSize(bytes) })}</span>
      )}
      {(listing.value?.leftOut ?? 0) > 0 && (
        <span>{t("leftOut", { count: formatCount(listing.value?.leftOut ?? 0) })}</span>
      )}
    </footer>
  );
}
