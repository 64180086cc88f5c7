import { clientProgram } from "./lib/cli/client/client-program.ts";
import { runProgram } from "./lib/cli/run-program.ts";

process.exit(await runProgram(clientProgram, process.argv.slice(2)));
