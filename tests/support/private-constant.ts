import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A number that lib keeps to itself. */
export function privateConstant(file: string, name: string): number {
  const source = readFileSync(join(import.meta.dir, "../../lib", file), "utf8");
  const found = new RegExp(`^(?:export )?const ${name} = ([0-9_.* ]+);$`, "m").exec(source)?.[1];
  if (found === undefined) throw new Error(`lib/${file} has no constant ${name}`);
  return found
    .replaceAll("_", "")
    .split("*")
    .reduce((product, factor) => product * Number(factor), 1);
}
