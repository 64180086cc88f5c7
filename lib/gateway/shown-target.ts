/**
 * Masks targets, and messages that quote them, before people see them: even a mistyped address may hold the secret of a
 * link or of a token.
 */

/** This many of a secret's 43 characters must not be shown. */
const TELLING = 24;

/** A character of a target: itself, encoded, or encoded more than once. */
const dressed = (char: string, code: string): string => `(?:${char}|%(?:25)*(?:${code}))`;
const SECRET_CHAR = dressed("[\\w-]", "2d|3\\d|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9a]");
const SEPARATOR = dressed('[/\\\\"\\s]', "2f|5c");
const LINK = [dressed("l", "4c|6c"), dressed("i", "49|69"), dressed("n", "4e|6e"), dressed("k", "4b|6b")].join("");

const RUN = new RegExp(`${SECRET_CHAR}{${TELLING},}`, "gi");
const AFTER_LINK = new RegExp(`((?:^|${SEPARATOR})${LINK}${SEPARATOR}+)${SECRET_CHAR}{${TELLING},}`, "gi");
const USER = /(\/\/)[^/?#"\s]*@/g;

const IN_FILES = /^(?:https?:\/\/[^/?#]*)?\/files(?:[/?#]|$)/i;

/** A target for an event. Names below /files/ are shown, except in the place of a link's secret. */
export function shownTarget(target: string): string {
  return IN_FILES.test(target) ? withoutSecrets(target) : withoutSecrets(target).replace(RUN, "…");
}

/** A message that may quote a target, a path or the Destination field, without secrets. */
export function withoutSecrets(words: string): string {
  return words.replace(USER, "$1…@").replace(AFTER_LINK, "$1…");
}
