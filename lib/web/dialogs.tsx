import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Side } from "../app/asks.ts";
import type { EntryFacts } from "../app/events.ts";
import { Buttons, closeDialog, Dialog, show } from "./dialog.tsx";
import { baseName, shown } from "./format.ts";
import { IconButton } from "./icon.tsx";
import { t } from "./language.ts";
import { ask, showTrouble } from "./session.ts";

function NameDialog(props: {
  title: string;
  label: string;
  name: string;
  action: string;
  answer(name?: string): void;
}) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.select(), []);
  return (
    <Dialog title={props.title} onCancel={() => props.answer(undefined)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const name = input.current?.value ?? "";
          const isGood = name !== "" && name !== "." && name !== ".." && !name.includes("/");
          input.current?.setCustomValidity(isGood ? "" : t("badName"));
          if (isGood) props.answer(name);
          else input.current?.reportValidity();
        }}
      >
        <label>
          {props.label}
          <input
            ref={input}
            type="text"
            value={props.name}
            maxLength={255}
            autocomplete="off"
            spellcheck={false}
            onInput={({ currentTarget }) => currentTarget.setCustomValidity("")}
          />
        </label>
        <Buttons onCancel={() => props.answer(undefined)} action={props.action} />
      </form>
    </Dialog>
  );
}

export function askFolderName(): Promise<string | undefined> {
  return show<string>((answer) => (
    <NameDialog title={t("newFolder")} label={t("folderName")} name="" action={t("make")} answer={answer} />
  ));
}

export function askNewName(name: string): Promise<string | undefined> {
  return show<string>((answer) => (
    <NameDialog title={t("rename")} label={t("newName")} name={name} action={t("rename")} answer={answer} />
  ));
}

export async function askRemoval(chosen: readonly EntryFacts[]): Promise<boolean> {
  const [first] = chosen;
  const what = chosen.length === 1 ? `“${shown(first?.name ?? "")}”` : t("things", { count: chosen.length });
  const hasFolder = chosen.some(({ kind }) => kind === "folder");
  const isSure = await show<true>((answer) => (
    <Dialog title={t("remove")} onCancel={() => answer(undefined)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          answer(true);
        }}
      >
        <p>{t(hasFolder ? "removeFolderAsk" : "removeAsk", { what })}</p>
        <Buttons onCancel={() => answer(undefined)} action={t("remove")} isDangerous />
      </form>
    </Dialog>
  ));
  return isSure === true;
}

/** Compute the SHA-256 of a file, and compare it with a given one. */
export async function askDigest(side: Side, path: string): Promise<void> {
  const digest = signal("");
  const given = signal("");
  const isCopied = signal(false);
  const shownDialog = show<true>((answer) => (
    <Dialog title={`${t("digest")}: ${shown(baseName(path))}`} onCancel={() => answer(undefined)}>
      <p class="digest" aria-live="polite">
        {digest.value === "" ? t("loading") : digest.value}
      </p>
      {digest.value !== "" && (
        <IconButton
          icon="copy"
          label={t(isCopied.value ? "copied" : "copy")}
          withText
          onClick={() => {
            void navigator.clipboard.writeText(digest.value);
            isCopied.value = true;
          }}
        />
      )}
      <label>
        {t("compareWith")}
        <input
          type="text"
          spellcheck={false}
          autocomplete="off"
          onInput={({ currentTarget }) => {
            given.value = currentTarget.value.trim().toLowerCase().slice(0, 64);
          }}
        />
      </label>
      <p role="status">
        {given.value !== "" && digest.value !== "" ? t(given.value === digest.value ? "same" : "different") : ""}
      </p>
      <div class="buttons">
        <button type="button" class="primary" onClick={() => answer(undefined)}>
          {t("close")}
        </button>
      </div>
    </Dialog>
  ));
  try {
    digest.value = String(await ask({ ask: "digest", side, path }));
    await shownDialog;
  } catch (thrown) {
    closeDialog();
    showTrouble(thrown);
  }
}
