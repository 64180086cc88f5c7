import { CommError } from "../errors.ts";

/** The command line, or a line typed into the shell, can't be understood. */
export class UsageError extends CommError {
  override readonly name = "UsageError";
  constructor(message: string, options?: ErrorOptions) {
    super("USAGE", message, options);
  }
}
