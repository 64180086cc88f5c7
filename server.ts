import { tuneServer } from "./lib/cli/runtime-settings.ts";

const words = process.argv.slice(2);
tuneServer(words);
// Only now, because a program that begins again would load all of it twice.
const { serverProgram } = await import("./lib/cli/server/server-program.ts");
const { runProgram } = await import("./lib/cli/run-program.ts");
process.exit(await runProgram(serverProgram, words));
