import { isAbsolute, sep } from "node:path";

/**
 * A name of this machine as it is found from the folder `here`; without one, from that of the program. Nothing is
 * resolved: `..` behind a link leads where the system says.
 */
export function placeFrom(here: string | undefined, name: string): string {
  if (here === undefined || isAbsolute(name) || /^[A-Za-z]:/.test(name)) return name;
  return name === "" || name === "." ? here : `${here}${sep}${name}`;
}
