import { tuneClient } from "./lib/cli/runtime-settings.ts";

const words = process.argv.slice(2);
tuneClient(words);
// Only now, because a program that begins again would load all of it twice.
const { clientProgram } = await import("./lib/cli/client/client-program.ts");
const { runProgram } = await import("./lib/cli/run-program.ts");
process.exit(await runProgram(clientProgram, words));
