import { runProgram } from "./lib/cli/run-program.ts";
import { serverProgram } from "./lib/cli/server/server-program.ts";

process.exit(await runProgram(serverProgram, process.argv.slice(2)));
