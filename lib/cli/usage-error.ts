import { CommError } from "../errors.ts";

/** The command line, or a line typed into the shell, can't be understood. */
export class UsageError extends CommError {
  override readonly name = "UsageError";
  constructor(message: string, options?: ErrorOptions) {
    super("USAGE", message, options);
  }
}

/** The library says MALFORMED of an address, an invite or a token; where a person typed it, that is an error of usage. */
export function asUsage(thrown: unknown): unknown {
  return thrown instanceof CommError && thrown.code === "MALFORMED" ? new UsageError(thrown.message) : thrown;
}
