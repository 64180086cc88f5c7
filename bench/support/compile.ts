import { join } from "node:path";
import { compile, ROOT } from "../../scripts/compile.ts";

/** The compiled programs of this project. */
export interface Programs {
  readonly server: string;
  readonly client: string;
}

/** Build them into `folder`, as they are released. */
export function buildPrograms(folder: string): Programs {
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, "scripts/build.ts", "--out", folder], { cwd: ROOT });
  if (exitCode !== 0) throw new Error(`The programs can't be built:\n${stderr}`);
  return { server: join(folder, "commserver-server"), client: join(folder, "commserver-client") };
}

/** Compile a program of probes/ into `folder`, as the programs are, so that only the code differs. */
export function compileProbe(name: string, folder: string): string {
  const outfile = join(folder, name);
  compile(`bench/probes/${name}.ts`, outfile);
  return outfile;
}
