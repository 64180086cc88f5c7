import { runProgram } from "./lib/cli/program.ts";
import { serverProgram } from "./lib/cli/server/program.ts";

process.exit(await runProgram(serverProgram, process.argv.slice(2)));
