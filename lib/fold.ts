// What some systems cut off behind a name, and what some don't see within it.
const UNSEEN = /[. ]+$|\p{Default_Ignorable_Code_Point}/gu;
/** Paths of which no name ends with what may be cut off, in letters that have two cases and no other form. */
const PLAIN = /^(?!.*[. ](?:\/|$))[\0-\x7f]*$/s;

/** The same for names that are the same to some file system: in another case of letters, in another normal form. */
export function fold(name: string): string {
  // Up and down again: some letters are the same only above, as the long s and the s.
  return name.normalize("NFKD").replace(UNSEEN, "").toUpperCase().toLowerCase();
}

/** As fold(), for a repository path. */
export function foldPath(path: string): string {
  return PLAIN.test(path) ? path.toLowerCase() : path.split("/").map(fold).join("/");
}
