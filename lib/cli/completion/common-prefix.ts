/** The longest text that all words begin with, of whole characters; "" without words. */
export function longestCommonPrefix([first = "", ...others]: readonly string[]): string {
  let common = first;
  for (const word of others) {
    while (!word.startsWith(common)) common = common.replace(/.$/su, "");
  }
  return common;
}
