import { StreamError } from "../errors.ts";
import { HttpFault } from "./http-fault.ts";
import { parseTarget, repositoryPath, type Target } from "./request-target.ts";

/** The destination of COPY and MOVE. Source: RFC 4918, sections 10.3 and 10.6. */
export interface Destination {
  readonly path: string;
  /** Whether a present entry may be replaced. */
  readonly overwrite: boolean;
}

/** @throws StreamError BAD_PARAMS, BAD_PATH; HttpFault for a place on another server */
export function readDestination(
  headers: {
    destination?: string | string[] | undefined;
    overwrite?: string | string[] | undefined;
    host?: string | undefined;
  },
  target: Target,
  top: string,
): Destination {
  const { destination, overwrite = "T", host } = headers;
  if (typeof destination !== "string") throw new StreamError("BAD_PARAMS", "The request needs a Destination field.");
  if (overwrite !== "T" && overwrite !== "F") throw new StreamError("BAD_PARAMS", "Overwrite takes T or F.");
  const { authority, names } = parseTarget(destination);
  if (authority !== undefined && authority.toLowerCase() !== (target.authority ?? host ?? "").toLowerCase()) {
    throw new HttpFault("NOT_ALLOWED", "The destination is on another server.", { status: 502 });
  }
  const [first, ...rest] = names;
  if (first !== top || rest.length === 0) throw new StreamError("BAD_PATH", `The destination is not below /${top}/.`);
  const { path } = repositoryPath(rest);
  if (path === "") throw new StreamError("NOT_ALLOWED", "The repository itself can't be replaced.");
  return { path, overwrite: overwrite === "T" };
}
