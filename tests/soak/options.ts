import type { Site } from "./site.ts";

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Where logs go when something is found. */
  readonly keep: string;
  /** Between two checkpoints. */
  readonly checkpointSeconds: number;
  /** How often the server is killed. */
  readonly kills: number;
  /** How long a checkpoint waits for seats and descriptors to be given back. */
  readonly settleSeconds: number;
  print(line: string): void;
  /** For tests of the soak itself: something that is to be found, done before each checkpoint looks. */
  plant?(site: Site): void | Promise<void>;
}
