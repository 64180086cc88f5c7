/**
 * Names that the local system can't hold, and their replacements. On Windows a forbidden character is written as `%`
 * and two hexadecimal digits, as in a URL, and read back; elsewhere every repository name is valid.
 */

// Most importantly the backslash, which would lead to another folder.
const WINDOWS_FORBIDDEN = /[<>:"|?*\\%]/g;
// Reserved in any folder: the name up to its first dot or colon, without trailing spaces.
const WINDOWS_DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?= *(?:[.:]|$))/i;

export function toLocalName(name: string, platform: NodeJS.Platform = process.platform): string {
  if (platform !== "win32" || name === ".") return name;
  const read = decode(name);
  // A "%" stays if it would not be read back as something else: such names exist already.
  if (isAllowed(name) && (read === name || toLocalName(read, platform) !== name)) return name;
  return name
    .replace(WINDOWS_FORBIDDEN, (character, at: number) =>
      character === "%" && !/^%[0-9A-F]{2}/.test(name.slice(at)) ? character : percent(character),
    )
    .replace(/[. ]$/, percent)
    .replace(WINDOWS_DEVICE, (device) => percent(device[0] as string) + device.slice(1));
}

function isAllowed(name: string): boolean {
  return !/[<>:"|?*\\]|[. ]$/.test(name) && !WINDOWS_DEVICE.test(name);
}

function decode(name: string): string {
  return name.replace(/%([0-9A-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** The repository name for a local one; the inverse of toLocalName(). */
export function fromLocalName(name: string, platform: NodeJS.Platform = process.platform): string {
  if (platform !== "win32") return name;
  const read = decode(name);
  // A name that toLocalName() would not have written stays as it is.
  return toLocalName(read, platform) === name ? read : name;
}

/** As toLocalName(), for each name in a path, with the system's separators. */
export function toLocalPath(path: string, platform: NodeJS.Platform = process.platform): string {
  if (platform !== "win32") return path;
  return path
    .split("/")
    .map((name) => toLocalName(name, platform))
    .join("\\");
}

/** True when the local system has another name for a file at `path`. */
export function isMapped(path: string, platform: NodeJS.Platform = process.platform): boolean {
  return platform === "win32" && path.split("/").some((name) => toLocalName(name, platform) !== name);
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
