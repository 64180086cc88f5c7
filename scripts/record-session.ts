/**
 * Record a session for README: type commands into a real shell on a pseudo-terminal, with the programs in dist/ (or in the
 * folder that is named) and the sample repository, and draw what the screen shows as docs/session.svg.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import xterm from "@xterm/headless";
import { ROOT } from "./compile.ts";
import { drawScreen } from "./draw-screen.ts";

const COLUMNS = 84;
const ROWS = 30;
const PROMPT = "$ ";
const COMMANDS = [
  "commserver-client list",
  'commserver-client get docs "*.txt" --output inbox/',
  "commserver-client put photos --to 2026",
  "commserver-client digest welcome.txt",
  'commserver-client send "is anybody there?"',
];

const programs = resolve(process.argv[2] ?? join(ROOT, "dist"));
const work = mkdtempSync(join(tmpdir(), "commserver-session-"));
const env = {
  PATH: `${programs}:${process.env["PATH"]}`,
  HOME: work,
  TERM: "xterm-256color",
  TZ: "UTC",
  PS1: `\\[\\e[1;32m\\]${PROMPT}\\[\\e[0m\\]`,
};

const files = join(work, "files");
cpSync(join(ROOT, "repository"), files, { recursive: true });
for (const name of readdirSync(files, { recursive: true, encoding: "utf8" }).toReversed())
  utimesSync(join(files, name), 1_795_000_000, 1_795_000_000);
mkdirSync(join(work, "photos"));
for (const [name, size] of [
  ["harbour.jpg", 2_400_000],
  ["lighthouse.jpg", 1_900_000],
] as const)
  writeFileSync(join(work, "photos", name), new Uint8Array(size));

const server = Bun.spawn([join(programs, "commserver-server"), "-r", files, "--writable", "--json"], {
  env,
  cwd: work,
  stdout: "pipe",
  stderr: "inherit",
});
try {
  for await (const piece of server.stdout.pipeThrough(new TextDecoderStream())) if (piece.includes("listening")) break;
  const terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  const shell = Bun.spawn(["bash", "--norc", "--noprofile", "-i"], {
    env,
    cwd: work,
    terminal: { cols: COLUMNS, rows: ROWS, data: (_, bytes) => terminal.write(bytes) },
  });
  for (const command of COMMANDS) {
    await prompted(terminal);
    shell.terminal?.write(`${command}\r`);
    await Bun.sleep(300);
  }
  await prompted(terminal);
  writeFileSync(join(ROOT, "docs/session.svg"), drawScreen(terminal));
  shell.kill("SIGKILL");
} finally {
  server.kill();
  await server.exited;
  rmSync(work, { recursive: true, force: true });
}

/** Wait until the cursor is after a prompt. */
async function prompted(terminal: xterm.Terminal): Promise<void> {
  for (;;) {
    const { cursorX, cursorY, baseY } = terminal.buffer.active;
    const line = terminal.buffer.active.getLine(baseY + cursorY)?.translateToString(true, 0, cursorX);
    if (line?.trimEnd() === PROMPT.trimEnd()) return;
    await Bun.sleep(20);
  }
}
