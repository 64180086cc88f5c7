/**
 * Try the programs in dist/ (or in the folder that is named) on this system, without anything else: a server starts, a
 * file goes there and comes back, a message is answered, and the server stops.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./compile.ts";

const folder = process.argv[2] ?? join(ROOT, "dist");
const end = process.platform === "win32" ? ".exe" : "";
const work = mkdtempSync(join(tmpdir(), "commserver-smoke-"));
const env = { ...process.env, XDG_STATE_HOME: work, LOCALAPPDATA: work };
const state = ["--state-dir", join(work, "state")];

const server = Bun.spawn(
  [
    join(folder, `commserver-server${end}`),
    ...state,
    "-r",
    work,
    "--writable",
    "--port",
    "0",
    "--host",
    "127.0.0.1",
    "--json",
  ],
  { env, stdin: "ignore", stdout: "pipe", stderr: "inherit" },
);
try {
  const { port, invite } = JSON.parse(await firstLine(server.stdout));
  const content = new Uint8Array(3_000_000).map((_, index) => index * 31);
  writeFileSync(join(work, "sent.bin"), content);
  client(["join", invite, "--name", "smoke", ...state]);
  const at = ["-s", "smoke", ...state];
  client(["put", join(work, "sent.bin"), "--as", "there.bin", ...at]);
  client(["get", "there.bin", "--as", "back.bin", "--output", `${work}/`, ...at]);
  if (!readFileSync(join(work, "back.bin")).equals(content)) throw new Error("The file that came back is another one.");
  if (!client(["send", "hello", ...at]).includes("hello ACK")) throw new Error("The server does not answer.");
  console.log(`The programs in ${folder} work on ${process.platform} ${process.arch}, port ${port}.`);
} finally {
  server.kill();
  await server.exited;
  rmSync(work, { recursive: true, force: true });
}

async function firstLine(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.includes("\n")) return text.slice(0, text.indexOf("\n"));
  }
  throw new Error("The server has ended.");
}

function client(words: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([join(folder, `commserver-client${end}`), ...words], { env });
  if (exitCode !== 0) throw new Error(`${words[0]} ended with ${exitCode}: ${stderr}`);
  return stdout.toString();
}
