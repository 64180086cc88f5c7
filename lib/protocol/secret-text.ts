const INVITE = /csinvite1_[\w-]/;
/** Ten digits alone are more often a telephone number. */
const CODE = /^\s*join\s+\d{3}-?\d{3}-?\d{4}\b/i;
const TOKEN = /\b[A-Za-z0-9][\w.-]*:[\w-]{43}(?![\w-])/;
const VARIABLE = /\bCOMMSERVER_(?:TOKEN|INVITE)\s*=\s*\S/;

/** The secret in a typed text, in words; undefined when there is none. */
export function secretIn(text: string): string | undefined {
  if (INVITE.test(text) || CODE.test(text)) return "an invite";
  return TOKEN.test(text) || VARIABLE.test(text) ? "a token" : undefined;
}
