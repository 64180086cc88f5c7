import { CommError } from "../errors.ts";

/**
 * A one-time code: ten digits that a person can read out and type, `385-061-7726`. Source: PROTOCOL.md, "Codes".
 */
export interface OneTimeCode {
  /** Three digits, which tell the server's codes apart. No secret. */
  readonly plate: string;
  /** Six digits, which never cross the wire. */
  readonly secret: string;
}

export const PLATE_DIGITS = 3;
export const SECRET_DIGITS = 6;
const DIGITS = PLATE_DIGITS + SECRET_DIGITS + 1;

/**
 * The quasigroup of Damm's check digit: it finds every single wrong digit, and every swap of two neighbours.
 * Source: H. Michael Damm, "Total anti-symmetrische Quasigruppen", 2004.
 */
const DAMM = [
  "0317598642",
  "7092154863",
  "4206871359",
  "1750983426",
  "6123045978",
  "3674209581",
  "5869720134",
  "8945362017",
  "9438617205",
  "2581436790",
] as const;

/** For a person: three groups, with the check digit at the end. */
export function formatCode({ plate, secret }: OneTimeCode): string {
  const digits = plate + secret;
  const all = digits + damm(digits);
  return `${all.slice(0, 3)}-${all.slice(3, 6)}-${all.slice(6)}`;
}

/**
 * Spaces, dots and hyphens may be anywhere or nowhere.
 *
 * @throws CommError MALFORMED, whose message does not quote the text: it may be a secret
 */
export function parseCode(text: string): OneTimeCode {
  const digits = plain(text);
  if (digits.length !== DIGITS || !/^\d+$/.test(digits)) {
    throw new CommError("MALFORMED", "This is not a code: a code has 10 digits, such as 385-061-7726.");
  }
  // "A client MUST NOT send anything of a code whose check digit is wrong." (PROTOCOL.md, "Codes")
  if (damm(digits) !== "0") {
    throw new CommError("MALFORMED", "A digit of this code is wrong: compare it with the code that was shown.");
  }
  return { plate: digits.slice(0, PLATE_DIGITS), secret: digits.slice(PLATE_DIGITS, -1) };
}

/** Whether it is meant as a code: nothing but digits and what may be between them. */
export function looksLikeCode(text: string): boolean {
  return /^\d{3,}$/.test(plain(text));
}

function plain(text: string): string {
  return text.normalize("NFKC").replace(/[\s.\p{Pd}]/gu, "");
}

/** Damm's check digit of the digits; of digits with theirs at the end, "0". */
function damm(digits: string): string {
  let interim = "0";
  for (const digit of digits) interim = DAMM[Number(interim)]?.[Number(digit)] ?? "0";
  return interim;
}
