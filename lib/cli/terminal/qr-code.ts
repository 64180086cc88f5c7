import { encode } from "uqr";

/** Light modules around the code. Source: ISO/IEC 18004, section 9.1. */
const QUIET_ZONE = 4;

/** Black on white, whatever the colours of the terminal are; a plain "white" is grey in many. */
const INK = "\u001b[38;5;16;48;5;231m";
const RESET = "\u001b[0m";

/** For a line of modules above another: neither, the upper, the lower, both are to be filled. */
const HALVES = [" ", "▀", "▄", "█"] as const;

/**
 * The text as a QR code, two rows of modules on a line. On a terminal it has its own colours. Elsewhere the light
 * modules are filled, so that it is right on a dark background; scanners read the opposite as well.
 */
export function formatQrCode(text: string, isTty: boolean): { lines: string[]; columns: number } {
  const { data, size } = encode(text, { border: QUIET_ZONE, ecc: "L" });
  const isFilled = (row: number, column: number) => (data[row]?.[column] === true) === isTty;
  const lines: string[] = [];
  for (let row = 0; row < size; row += 2) {
    let line = "";
    for (let column = 0; column < size; column++) {
      const upper = isFilled(row, column) ? 1 : 0;
      const lower = isFilled(row + 1, column) ? 2 : 0;
      line += HALVES[upper + lower];
    }
    lines.push(isTty ? `${INK}${line}${RESET}` : line);
  }
  return { lines, columns: size };
}
