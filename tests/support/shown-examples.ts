/** The examples of a document: its `console` blocks, each command with the output that it shows. */
export interface Example {
  readonly command: string;
  readonly output: string;
}

export function examplesIn(document: string): Example[] {
  return [...document.matchAll(/```console\n(.*?)```/gs)].flatMap(([, block = ""]) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((text) => {
        const [command = "", ...output] = text.split("\n");
        return { command, output: output.join("\n").trim() };
      }),
  );
}

/** `…` stands for anything, over lines too. */
export function outputPattern(output: string): RegExp {
  const parts = output.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^]*?")}$`);
}
