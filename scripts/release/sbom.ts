import packageJson from "../../package.json" with { type: "json" };
import { ROOT } from "../compile.ts";
import type { ReleaseFacts } from "./facts.ts";
import { run } from "./run.ts";

/** What is in the programs, as npm tells it of the locked packages, in CycloneDX 1.5, with the runtime. */
export function billOfMaterials(facts: ReleaseFacts): string {
  const kind = ["--sbom-format", "cyclonedx", "--sbom-type", "application"];
  const bill = JSON.parse(run(["npm", "sbom", "--omit", "dev", "--package-lock-only", ...kind], { cwd: ROOT }));
  const runtime = packageJson.devDependencies.bun;
  // A number of its own and the time of the run would make two bills of one commit different.
  delete bill.serialNumber;
  bill.metadata.timestamp = new Date(facts.epoch * 1000).toISOString();
  // npm takes the name of the folder.
  bill.metadata.component.name = packageJson.name;
  bill.components.push({
    "bom-ref": `bun@${runtime}`,
    type: "framework",
    name: "bun",
    version: runtime,
    scope: "required",
    description: "The runtime, which is a part of each program",
    purl: `pkg:npm/bun@${runtime}`,
    licenses: [{ license: { id: "MIT" } }],
  });
  return `${JSON.stringify(bill, null, 2)}\n`;
}
