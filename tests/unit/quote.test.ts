import { expect, test } from "bun:test";
import { quote } from "../../lib/quote.ts";

test("an error quotes a text of 200 characters whole, and the beginning of a longer one", () => {
  const whole = "x".repeat(200);
  expect(quote(whole)).toBe(`"${whole}"`);
  expect(quote(`${whole}y`)).toBe(`"${whole}…"`);
  expect(quote('say "hi"\n')).toBe('"say \\"hi\\"\\n"');
});
