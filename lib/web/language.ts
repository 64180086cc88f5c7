import { signal } from "@preact/signals";
import type { StringKey } from "./strings/en.ts";
import { LANGUAGES } from "./strings/languages.ts";

const KEPT = "commserver-language";

function preferred(): string {
  const kept = localStorage.getItem(KEPT);
  if (kept !== null && kept in LANGUAGES) return kept;
  return navigator.languages.map((tag) => tag.slice(0, 2)).find((code) => code in LANGUAGES) ?? "en";
}

/** The language of the page, by its code. */
export const language = signal(preferred());

export function chooseLanguage(code: string): void {
  localStorage.setItem(KEPT, code);
  language.value = code;
  document.documentElement.lang = code;
}

/** A text of the page, with `{name}` replaced. */
export function t(key: StringKey, values: Readonly<Record<string, string | number>> = {}): string {
  const text = LANGUAGES[language.value]?.strings[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}
