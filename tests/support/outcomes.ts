import { CommError, type ErrorCode, ProtocolError } from "../../lib/errors.ts";

/** The code of the ProtocolError that `action` throws; undefined when it throws nothing. Any other error passes. */
export function protocolFault(action: () => unknown): ErrorCode | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return undefined;
}

/** The CommError with which `promise` rejects. Fails the test if it does not. */
export async function rejection(promise: Promise<unknown>): Promise<CommError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof CommError) return error;
    throw error;
  }
  throw new Error("The promise was to reject, and resolved.");
}

/** The state of a promise. */
export interface Watched<T> {
  state: "pending" | "resolved" | "rejected";
  value: T | undefined;
  error: unknown;
}

/** Watch a promise without waiting for it; its rejection counts as seen. */
export function watch<T>(promise: Promise<T>): Watched<T> {
  const watched: Watched<T> = { state: "pending", value: undefined, error: undefined };
  promise.then(
    (value) => Object.assign(watched, { state: "resolved", value }),
    (error) => Object.assign(watched, { state: "rejected", error }),
  );
  return watched;
}

/** The code of a watched promise that was rejected. */
export function codeOf(watched: Watched<unknown>): ErrorCode | undefined {
  return watched.error instanceof CommError ? watched.error.code : undefined;
}
