import { language, t } from "./language.ts";

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"] as const;

/** `1.5 KB`, with the decimal sign of the language. */
export function formatSize(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${new Intl.NumberFormat(language.value, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value)} ${UNITS[unit]}`;
}

export function formatCount(count: number): string {
  return new Intl.NumberFormat(language.value).format(count);
}

/** A day, or of today the time of day. */
export function formatTime(at: number): string {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(
    language.value,
    isToday ? { hour: "2-digit", minute: "2-digit" } : { year: "numeric", month: "short", day: "numeric" },
  ).format(date);
}

/** Exactly, for a title. */
export function formatMoment(at: number): string {
  return new Intl.DateTimeFormat(language.value, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(at));
}

/** `59 s`, `1 h 5 min`, `3 d 2 h` */
export function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  if (first === -1) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(" ");
}

export function formatFiles(count: number): string {
  return count === 1 ? t("oneFile") : t("filesCount", { count: formatCount(count) });
}

// Characters that change the direction of writing, or that nobody sees: names with them look like others.
const UNSEEN =
  /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u00ad\u180e\u200b\u2060-\u2064\u3164\ufeff\ufff9-\ufffb\u2028\u2029]/gu;

/** A name of somebody else, as it is safe to show. */
export function shown(text: string): string {
  return text.replace(UNSEEN, "\ufffd");
}

/** As shown(), for a text whose lines stay lines. */
export function shownText(text: string): string {
  return text.split("\n").map(shown).join("\n");
}

export function baseName(path: string): string {
  return path.replace(/[\\/]+$/, "").replace(/^.*[\\/]/, "") || path;
}
