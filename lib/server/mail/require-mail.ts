import { StreamError } from "../../errors.ts";
import type { Mail } from "./mail.ts";

/** @throws StreamError NOT_ALLOWED for a server that keeps no messages */
export function requireMail(mail: Mail | undefined): Mail {
  if (mail !== undefined) return mail;
  throw new StreamError("NOT_ALLOWED", "This server keeps no messages.");
}
