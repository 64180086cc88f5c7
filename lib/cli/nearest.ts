/**
 * The candidate that is nearest to `word`: one that shares a beginning with it, or differs from it in at most two
 * letters. The first of several.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let [best, least] = [undefined as string | undefined, Math.min(2, word.length - 1) + 1];
  for (const candidate of candidates) {
    const isBeginning = word.length >= 2 && (candidate.startsWith(word) || word.startsWith(candidate));
    const letters = isBeginning ? 1 : distance(word, candidate);
    if (letters < least) [best, least] = [candidate, letters];
  }
  return best;
}

/** Whether one letter is missing, too many or another, or two neighbours are swapped. */
export function isSlip(typed: string, word: string): boolean {
  let start = 0;
  while (start < word.length && typed[start] === word[start]) start++;
  let [end, wordEnd] = [typed.length, word.length];
  while (Math.min(end, wordEnd) > start && typed[end - 1] === word[wordEnd - 1]) {
    end--;
    wordEnd--;
  }
  const [seen, meant] = [typed.slice(start, end), word.slice(start, wordEnd)];
  return Math.max(seen.length, meant.length) <= 1 || (meant.length === 2 && seen === `${meant[1]}${meant[0]}`);
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
