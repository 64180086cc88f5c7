/**
 * A process for a Screen that shows texts of a hostile server. `tab NAMES` is a prompt that completes typed text from a
 * repository with these names (JSON), and then prints "completed"; `progress NAMES` shows the bars of a moving file
 * with the first name.
 */
import { Progress } from "../../lib/cli/client/progress.ts";
import { completeLine } from "../../lib/cli/client/shell-completion.ts";
import { ShellFolder } from "../../lib/cli/client/shell-folder.ts";
import { processIo } from "../../lib/cli/console-io.ts";
import { LineEditor } from "../../lib/cli/terminal/line-editor.ts";
import { TestServer } from "./test-server.ts";

const [mode, json = "[]"] = process.argv.slice(2);
const names: string[] = JSON.parse(json);
const [name = ""] = names;
const io = processIo();

if (mode === "tab") {
  const server = new TestServer();
  for (const path of names) server.storage.set(path, new Uint8Array(0));
  const client = await server.client();
  const editor = new LineEditor({
    input: process.stdin,
    output: process.stdout,
    screen: io.screen,
    history: [],
    async complete(line) {
      const found = await completeLine(client, new ShellFolder(), line);
      setTimeout(() => io.out("completed\n"), 0);
      return found;
    },
  });
  await io.out("above\n");
  const input = await editor.next("ready> ");
  console.log(`typed: ${JSON.stringify(input)}`);
  process.exit(0);
}

const progress = new Progress(io);
progress.plan(1_000_000);
progress.start(name, 1_000_000, 0);
for (;;) {
  progress.add(name, 1_000);
  await Bun.sleep(20);
}
