import { de } from "./de.ts";
import { en, type Strings } from "./en.ts";

/** The languages of the page, by their codes. */
export const LANGUAGES: Readonly<Record<string, { readonly name: string; readonly strings: Strings }>> = {
  en: { name: "English", strings: en },
  de: { name: "Deutsch", strings: de },
};
