import { t } from "./language.ts";
import type { StringKey } from "./strings/en.ts";

const ADVICE: Readonly<Record<string, StringKey>> = {
  EXISTS: "adviceExists",
  SAME_NAME: "adviceExists",
  NOT_ALLOWED: "adviceNotAllowed",
  NO_SPACE: "adviceSpace",
  DISK_FULL: "adviceSpace",
  QUOTA_EXCEEDED: "adviceSpace",
  LOST: "adviceLink",
  CANNOT_CONNECT: "adviceLink",
  TIMEOUT: "adviceLink",
  HEARTBEAT_TIMEOUT: "adviceLink",
};

/** What a person can do about an error, by its code; "" where its message says enough. */
export function adviceFor(code: string): string {
  const key = ADVICE[code];
  return key === undefined ? "" : t(key);
}
