/** Times in HTTP, which have whole seconds. Source: RFC 9110, section 5.6.7. */

const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTH = `(${MONTHS.join("|")})`;
const TIME = "(\\d{2}):(\\d{2}):(\\d{2})";
const FIXED = new RegExp(`^${DAY}, (\\d{2}) ${MONTH} (\\d{4}) ${TIME} GMT$`);
const RFC_850 = new RegExp(`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\\d{2})-${MONTH}-(\\d{2}) ${TIME} GMT$`);
const ASCTIME = new RegExp(`^${DAY} ${MONTH} ([ \\d]\\d) ${TIME} (\\d{4})$`);

/** `ms` since 1970, cut to the second, as a date in HTTP. */
export function formatHttpDate(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toUTCString();
}

/** Milliseconds since 1970 of any of the three forms; undefined for anything else, which counts as absent. */
export function parseHttpDate(text: string, now: number): number | undefined {
  const fixed = FIXED.exec(text);
  if (fixed !== null) {
    const [, day = "", month = "", year = "", h = "", m = "", s = ""] = fixed;
    return timeOf(Number(year), month, day, h, m, s);
  }
  const old = RFC_850.exec(text);
  if (old !== null) {
    const [, day = "", month = "", year = "", h = "", m = "", s = ""] = old;
    return timeOf(fullYear(Number(year), now), month, day, h, m, s);
  }
  const [, month = "", day = "", h = "", m = "", s = "", year] = ASCTIME.exec(text) ?? [];
  return year === undefined ? undefined : timeOf(Number(year), month, day, h, m, s);
}

/** A two-digit year that seems more than 50 years ahead belongs to the century before. */
function fullYear(twoDigits: number, now: number): number {
  const year = new Date(now).getUTCFullYear();
  const full = Math.floor(year / 100) * 100 + twoDigits;
  return full > year + 50 ? full - 100 : full;
}

function timeOf(year: number, month: string, day: string, h: string, m: string, s: string): number | undefined {
  const [hours, minutes, seconds] = [Number(h), Number(m), Number(s)];
  // A minute may have a leap second.
  if (hours > 23 || minutes > 59 || seconds > 60) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, MONTHS.indexOf(month), Number(day));
  if (date.getUTCDate() !== Number(day)) return undefined;
  return date.getTime() + ((hours * 60 + minutes) * 60 + seconds) * 1000;
}
