/**
 * A process that writes to its console what its arguments say, in order: `out LENGTH`, `log LENGTH` and `note LENGTH`
 * write that many characters; `alive` writes "alive" to standard error by the system, at the next turn of the event loop
 * after all that is under way has begun. Says "error CODE" on standard error, and ends with 9, when `out` fails.
 */
import { writeSync } from "node:fs";
import { processIo } from "../../lib/cli/console-io.ts";
import { toCommError } from "../../lib/errors.ts";

const io = processIo();
const words = process.argv.slice(2);
let written: Promise<unknown> = Promise.resolve();
for (let index = 0; index < words.length; index++) {
  const word = words[index];
  if (word === "alive") {
    await new Promise((resolve) => setImmediate(resolve));
    writeSync(2, "alive\n");
    continue;
  }
  const text = String(index % 10).repeat(Number(words[++index]));
  if (word === "note") io.note(text);
  else written = Promise.all([written, word === "out" ? io.out(text) : io.log(text)]);
}
try {
  await written;
} catch (thrown) {
  writeSync(2, `error ${toCommError(thrown).code}\n`);
  process.exit(9);
}
await io.flush();
process.exit(0);
