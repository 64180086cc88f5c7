import type { GatewayParts } from "../server/parts.ts";
import type { PathTurns } from "./path-turns.ts";

/** What a change of the repository needs. */
export interface ChangeParts extends GatewayParts {
  readonly turns: PathTurns;
}
