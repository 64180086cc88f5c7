/** In fewer columns a terminal breaks lines better than breakWords(). */
export const MIN_ROOM = 20;

/** A command, perhaps in a colour, alone or after a colon at the end of a text. It is copied, and a break would cut it in two. */
const COMMAND_AT_END = /(?:^|: )(\S*commserver-(?:client|server)(?:\s.*)?)$/;

/** Lines of at most `room` columns, unless a word, or the command at the end, is longer. */
export function breakWords(text: string, room: number): string[] {
  if (room < MIN_ROOM || Bun.stringWidth(text) <= room) return [text];
  const [, command] = COMMAND_AT_END.exec(text) ?? [];
  const before = command === undefined ? text : text.slice(0, -command.length).trimEnd();
  const words = [...(before === "" ? [] : before.split(" ")), ...(command === undefined ? [] : [command])];
  const lines: string[] = [];
  for (const word of words) {
    const longer = `${lines.at(-1) ?? ""} ${word}`;
    if (lines.length > 0 && Bun.stringWidth(longer) <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Lines of text for a terminal; a line that continues keeps its indentation. */
export function fitColumns(text: string, columns: number): string {
  return text
    .split("\n")
    .map((line) => {
      const [indent = ""] = /^ */.exec(line) ?? [];
      return breakWords(line.slice(indent.length), columns - indent.length)
        .map((part) => indent + part)
        .join("\n");
    })
    .join("\n");
}
