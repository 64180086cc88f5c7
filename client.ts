import { clientProgram } from "./lib/cli/client/program.ts";
import { runProgram } from "./lib/cli/program.ts";

process.exit(await runProgram(clientProgram, process.argv.slice(2)));
