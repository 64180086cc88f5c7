import { KINDS } from "../support/raw-chunks.ts";
import type { ChunkSpec, Content, Conversation, Payload, Step } from "./conversation.ts";

/** Write a conversation so that parseConversation() reads the same; `comments` come first. */
export function printConversation(conversation: Conversation, comments: readonly string[] = []): string {
  const { plays, seats, wait, split, then, steps } = conversation;
  return [
    ...comments.flatMap((comment) => comment.split("\n")).map((line) => `# ${line}`),
    `plays ${plays}`,
    `seats ${seats}`,
    `wait ${wait ? "yes" : "no"}`,
    `split ${split}`,
    ...(then === undefined ? [] : [`then ${then}`]),
    ...steps.map(printStep),
    "",
  ].join("\n");
}

function printStep(step: Step): string {
  const peer = step.peer === 1 ? "" : step.peer;
  switch (step.kind) {
    case "raw":
      return `${peer}> RAW ${step.bytes.toString("hex")}`;
    case "http":
      return below(`${peer}> HTTP`, httpLines(step.text));
    case "answer":
      return `${peer}< HTTP ${step.status}`;
    case "act":
      return `${peer}! ${step.act}`;
    case "call":
      return `${peer}! call ${step.call}`;
    case "expect":
      return [`${peer}<`, step.opcode, step.stream, step.json && JSON.stringify(step.json)].filter(isSaid).join(" ");
    case "frame": {
      const flags = step.flags === 0 ? undefined : `flags=${step.flags}`;
      return [`${peer}>`, step.opcode, step.stream, flags, printPayload(step.payload)].filter(isSaid).join(" ");
    }
  }
}

/** Lines that end with CRLF as they are; the last one, and a part of a line, with a backslash. */
function httpLines(text: string): string[] {
  const lines = text.split("\r\n");
  const rest = lines.pop() ?? "";
  const escaped = (line: string) =>
    line.replace(/[^\x20-\x7e]|\\/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return [...lines.map(escaped), ...(rest === "" ? [] : [`${escaped(rest)}\\`])];
}

function isSaid(part: unknown): boolean {
  return part !== undefined && part !== "";
}

function printPayload(payload: Payload): string {
  if (payload.is === "records") {
    if (payload.lines.every(isPlain)) return below("records", payload.lines);
    return `hex ${Buffer.from(payload.lines.map((line) => `${line}\n`).join("")).toString("hex")}`;
  }
  if (payload.is === "chunks") return below("chunks", payload.chunks.map(printChunk));
  return printContent(payload);
}

function below(word: string, lines: readonly string[]): string {
  return [word, ...lines.map((line) => `    ${line}`)].join("\n");
}

function printContent(content: Content): string {
  if (content.is === "fill") return `fill ${content.length}`;
  if (content.is === "text") {
    if (isPlain(content.text)) return `json ${content.text}`;
    return printContent({ is: "bytes", bytes: Buffer.from(content.text) });
  }
  return content.bytes.length === 0 ? "" : `hex ${content.bytes.toString("hex")}`;
}

/** Text that stands on a line as it is. */
function isPlain(text: string): boolean {
  return text.isWellFormed() && !/[\n\r]/.test(text);
}

function printChunk({ kind, id, block, payload, lies }: ChunkSpec): string {
  const word = Object.entries(KINDS).find(([, number]) => number === kind)?.[0] ?? kind;
  const options = [
    block !== 0 && `@${block}`,
    lies.length !== undefined && `~length=${lies.length}`,
    lies.digest && "~digest",
    lies.check && "~check",
  ];
  return [word, id, ...options.filter((option) => typeof option === "string"), printContent(payload)]
    .filter(isSaid)
    .join(" ");
}
