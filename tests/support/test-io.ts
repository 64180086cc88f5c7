import type { ConsoleIo } from "../../lib/cli/console-io.ts";
import { Screen } from "../../lib/cli/terminal/screen.ts";

/** A console that keeps everything written to it. */
export class TestIo implements ConsoleIo {
  readonly outIsTty = false;
  readonly noteIsTty = false;
  readonly canRedraw = false;
  readonly inIsTty = false;
  readonly color: boolean;
  readonly screen = new Screen();
  readonly written: string[] = [];
  readonly notes: string[] = [];

  constructor(options: { color?: boolean } = {}) {
    this.color = options.color ?? false;
  }

  async out(text: string | Uint8Array): Promise<void> {
    this.written.push(Buffer.from(text as string).toString());
  }

  note(line: string): void {
    this.notes.push(line);
  }

  async log(lines: string): Promise<void> {
    this.notes.push(...lines.trimEnd().split("\n"));
  }

  async show(lines: string, to: "out" | "note"): Promise<void> {
    await (to === "out" ? this.out(lines) : this.log(lines));
  }

  async flush(): Promise<void> {}
}
