import { Dialog, show } from "./dialog.tsx";
import { t } from "./language.ts";

const KEYS = [
  ["↑ ↓ Page Home End", "keyMove"],
  ["Space", "keySelect"],
  ["Ctrl A", "keyAll"],
  ["Enter", "keyOpen"],
  ["←", "keyUp"],
  ["o", "keyOther"],
  ["t", "keyTransfer"],
  ["F2", "keyRename"],
  ["Delete", "keyRemove"],
  ["/", "keyFilter"],
  ["r", "keyRefresh"],
  ["?", "keyHelp"],
] as const;

export function showShortcuts(): void {
  void show<true>((answer) => (
    <Dialog title={t("shortcuts")} onCancel={() => answer(undefined)}>
      <dl class="keys">
        {KEYS.map(([keys, text]) => (
          <div>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
      <div class="buttons">
        <button type="button" class="primary" onClick={() => answer(undefined)}>
          {t("close")}
        </button>
      </div>
    </Dialog>
  ));
}
