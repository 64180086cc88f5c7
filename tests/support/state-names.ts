import { readdirSync } from "node:fs";

/** The names in a state folder, except its mark. @throws when it has no mark */
export function stateNames(folder: string): string[] {
  const names = readdirSync(folder);
  if (!names.includes(".commserver-state")) throw new Error(`${folder} is not marked`);
  return names.filter((name) => name !== ".commserver-state").sort();
}
