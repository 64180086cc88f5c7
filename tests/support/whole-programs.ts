import { clientProgram } from "../../lib/cli/client/client-program.ts";
import { loadProgram } from "../../lib/cli/lazy-program.ts";
import { serverProgram } from "../../lib/cli/server/server-program.ts";

/** Both programs with all their commands. */
export const wholeClient = await loadProgram(clientProgram);
export const wholeServer = await loadProgram(serverProgram);
