/** A command line of a document, with the output that it shows. */
export interface Example {
  /** Before the `$`, as in `server$ `; "" for none. */
  readonly prompt: string;
  readonly command: string;
  readonly output: string;
}

/** A fenced block of a document. */
export interface Block {
  /** "" for none. */
  readonly language: string;
  /** Without the indentation of the fence. */
  readonly text: string;
}

export function blocksIn(document: string): Block[] {
  return [...document.matchAll(/^( *)```(\w*)\n(.*?)^ *```$/gms)].map(([, indent = "", language = "", text = ""]) => ({
    language,
    text: text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  }));
}

/** The commands of a `console` block. */
export function commandsOf({ text }: Block): Example[] {
  const parts = text.split(/^(\w*)\$ /m).slice(1);
  return Array.from({ length: parts.length / 2 }, (_, index) => {
    const [command = "", ...output] = (parts[2 * index + 1] ?? "").split("\n");
    return { prompt: parts[2 * index] ?? "", command, output: output.join("\n").trim() };
  });
}

/** The examples of a document: its `console` blocks, each command with the output that it shows. */
export function examplesIn(document: string): Example[] {
  return blocksIn(document).flatMap((block) => (block.language === "console" ? commandsOf(block) : []));
}

/** `…` stands for anything, over lines too. */
export function outputPattern(output: string): RegExp {
  const parts = output.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^]*?")}$`);
}
