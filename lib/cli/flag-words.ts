import { NamingError } from "../client/plan.ts";
import { MirrorError, type MirrorFault } from "../client/sync/mirror-error.ts";
import { CommError, StorageError } from "../errors.ts";
import { quote } from "../quote.ts";
import { StateFolderError } from "../state/state-dir.ts";
import { UsageError } from "./usage-error.ts";

/** Remedies for the state folder; each completes the sentence that says what is wrong with it. */
const STATE_FOLDER_REMEDIES = {
  homeless: ": name a folder with --state-dir, or set XDG_STATE_HOME.",
  unusable: "; choose another with --state-dir.",
} as const satisfies Record<StateFolderError["fault"], string>;

/** Faults of the one name that --as or --output gives. */
const NAMING_FAULTS: Record<NamingError["reason"], (source: string) => string> = {
  pattern: (source) => `--as names one file or folder, and ${quote(source)} is a pattern.`,
  file: () => "--output names a file that exists: only a single file can replace it.",
};

/** What a person can do about a mirror that does not do all. */
const MIRROR_REMEDIES: Record<MirrorFault, string> = {
  "in the way": "With --delete it is removed.",
  kept: "It stays, because the filters leave it alone or because nothing may be deleted.",
  failed: "",
  cut: "Run it again.",
  empty: "If that is right, give --allow-empty.",
  many: "Look at them with --dry-run; allow more with --max-delete N.",
};

/**
 * The layers below know no command line. Their errors are reworded here for its user: a malformed address, invite or
 * token becomes a usage error, and an error of the state folder names the flag. All others stay as they are.
 */
export function inFlagWords(thrown: unknown): unknown {
  if (thrown instanceof StateFolderError) {
    const { code, message, fault, cause } = thrown;
    return new StorageError(code, message.replace(/\.$/, STATE_FOLDER_REMEDIES[fault]), { cause });
  }
  if (thrown instanceof MirrorError) {
    const { code, message, fault, cause } = thrown;
    return new CommError(code, `${message} ${MIRROR_REMEDIES[fault]}`.trimEnd(), { cause });
  }
  if (thrown instanceof NamingError) return new UsageError(NAMING_FAULTS[thrown.reason](thrown.source));
  return thrown instanceof CommError && thrown.code === "MALFORMED" ? new UsageError(thrown.message) : thrown;
}
