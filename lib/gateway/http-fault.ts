import type { OutgoingHttpHeaders } from "node:http";
import { type ErrorCode, StreamError } from "../errors.ts";

/** A failure with another status than that of its code, or with fields of its own. */
export class HttpFault extends StreamError {
  /** undefined: that of the code. */
  readonly status: number | undefined;
  readonly headers: OutgoingHttpHeaders;
  /** What to do next; undefined: as for the code. */
  readonly advice: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    more: { status?: number; headers?: OutgoingHttpHeaders; advice?: string },
  ) {
    super(code, message);
    this.advice = more.advice;
    this.status = more.status;
    this.headers = more.headers ?? {};
  }
}
