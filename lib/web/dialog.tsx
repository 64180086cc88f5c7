import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "./language.ts";

/** The one dialog that is open. */
const open = signal<(() => ComponentChildren) | undefined>(undefined);

export function Dialogs() {
  return <>{open.value?.()}</>;
}

/** Show a dialog until `answer` is called. */
export function show<Answer>(
  make: (answer: (given: Answer | undefined) => void) => ComponentChildren,
): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    open.value = () =>
      make((given) => {
        open.value = undefined;
        resolve(given);
      });
  });
}

export function Dialog(props: { title: string; onCancel(): void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        props.onCancel();
      }}
    >
      <h2 id="dialog-title">{props.title}</h2>
      {props.children}
    </dialog>
  );
}

export function Buttons(props: { onCancel(): void; action: string; isDangerous?: boolean }) {
  return (
    <div class="buttons">
      <button type="button" class="plain" onClick={props.onCancel}>
        {t("cancel")}
      </button>
      <button type="submit" class={props.isDangerous ? "danger" : "primary"}>
        {props.action}
      </button>
    </div>
  );
}

/** End the dialog that is open, without an answer. */
export function closeDialog(): void {
  open.value = undefined;
}
