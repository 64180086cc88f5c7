/** Longest text that an error quotes whole, in UTF-16 units. */
const MAX_QUOTED = 200;

/** `text` in double quotes, shortened; callers escape it for the place where it is shown. */
export function quote(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}
