// Characters that some systems cut off the end of a name, and characters that some ignore within it.
const UNSEEN = /[. ]+$|\p{Default_Ignorable_Code_Point}/gu;
/** Paths whose names end with nothing that may be cut off, in letters that have two cases and no other form. */
const PLAIN = /^(?!.*[. ](?:\/|$))[\0-\x7f]*$/s;

/** Gives the same result for names that some file system takes for the same: in another letter case or normal form. */
export function fold(name: string): string {
  // To upper case, then to lower: some letters are the same only in upper case, such as the long s and the s.
  return name.normalize("NFKD").replace(UNSEEN, "").toUpperCase().toLowerCase();
}

/** As fold(), for a repository path. */
export function foldPath(path: string): string {
  return PLAIN.test(path) ? path.toLowerCase() : path.split("/").map(fold).join("/");
}
