/** What a camera reads of the characters that were printed. */
import { describe, expect, test } from "bun:test";
import jsQR from "jsqr";
import { formatQrCode } from "../../../lib/cli/terminal/qr-code.ts";
import { formatInvite } from "../../../lib/protocol/invite.ts";

const INVITE = formatInvite({
  label: "lab",
  addresses: ["192.0.2.17:5050", "[2001:db8::17]:5050", "lab.example.org:5050"],
  identity: `SHA256:${"A".repeat(43)}`,
  token: { name: "laptop", secret: "s".repeat(43) },
});

/** Halves of a character that are drawn in the colour of the text. */
const HALVES: Readonly<Record<string, readonly [upper: boolean, lower: boolean]>> = {
  " ": [false, false],
  "▀": [true, false],
  "▄": [false, true],
  "█": [true, true],
};
/** Pixels for a module. */
const SCALE = 4;

/** Draw the lines as a terminal does, with a colour for text and one for what is behind it, and read the picture. */
function read(lines: readonly string[], colors: { text: number; behind: number }): string | undefined {
  const rows = lines.flatMap((line) => {
    const halves = [...line].map((character) => HALVES[character] ?? [false, false]);
    return [halves.map(([upper]) => upper), halves.map(([, lower]) => lower)];
  });
  const [width, height] = [(rows[0]?.length ?? 0) * SCALE, rows.length * SCALE];
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isText = rows[Math.floor(y / SCALE)]?.[Math.floor(x / SCALE)] === true;
      pixels.fill(isText ? colors.text : colors.behind, 4 * (y * width + x), 4 * (y * width + x) + 3);
      pixels[4 * (y * width + x) + 3] = 255;
    }
  }
  // Without the help of readers that try the opposite as well.
  return jsQR(pixels, width, height, { inversionAttempts: "dontInvert" })?.data;
}

describe("on a terminal", () => {
  const { lines, columns } = formatQrCode(INVITE, true);

  test("each line sets black on white for itself, and nothing after it", () => {
    for (const line of lines) expect(line).toMatch(/^\u001b\[38;5;16;48;5;231m[ ▀▄█]+\u001b\[0m$/);
  });

  test("a camera reads the text, whatever colours the terminal has", () => {
    const plain = lines.map((line) => Bun.stripANSI(line));
    expect(read(plain, { text: 0, behind: 255 })).toBe(INVITE);
    for (const line of plain) expect(Bun.stringWidth(line)).toBe(columns);
  });
});

test("elsewhere there are no colours, and a dark background makes it right", () => {
  const { lines } = formatQrCode(INVITE, false);
  expect(lines.join("")).not.toContain("\u001b");
  expect(read(lines, { text: 255, behind: 0 })).toBe(INVITE);
});

test("four light modules are around it", () => {
  const { lines } = formatQrCode(INVITE, false);
  for (const line of lines.slice(0, 2)) expect(line).toMatch(/^█+$/);
  for (const line of lines) expect(line).toMatch(/^████.*████$/);
  expect(lines.at(-1)).toMatch(/^█+$/);
});
