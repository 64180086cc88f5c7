import { type DigestFilesOptions, digestFiles } from "../../client/digest-files.ts";
import { CommError, StorageError } from "../../errors.ts";
import { joinPath, pathFault } from "../../path.ts";
import { quote } from "../../quote.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import { EXIT } from "../exit-codes.ts";
import type { LineWriter } from "../line-writer.ts";
import { describeError } from "../report.ts";
import { givenItems } from "./given-items.ts";
import { parseSum, type SumLine } from "./sum-line.ts";

export interface CheckRequest {
  /** `-` is standard input. */
  readonly file: string;
  readonly isQuiet: boolean;
  readonly ignoresMissing: boolean;
  /** A line that is no digest is a failure. */
  readonly isStrict: boolean;
}

type CheckTerms = Omit<DigestFilesOptions, "onDigest" | "onFailed"> & {
  readonly io: ConsoleIo;
  readonly json: boolean;
  /** Takes the answers. */
  readonly lines: LineWriter;
};

/**
 * Compare files of the repository with the digests in a list, in its order. The names in it begin in `folder`.
 *
 * @returns 0 when all that could be compared are the same
 * @throws as digestFiles(), givenItems(); CommError MALFORMED when the list has no digest
 */
export async function checkDigests(request: CheckRequest & { folder: string }, terms: CheckTerms): Promise<number> {
  const check = new Check(request, terms);
  try {
    for await (const items of givenItems(request.file, terms)) {
      await check.compare(items);
      await terms.lines.flush();
    }
    return check.finish();
  } finally {
    await terms.lines.flush();
  }
}

/** What the list says of a file, and its path in the repository. */
interface Expected extends SumLine {
  readonly path: string;
}

class Check {
  readonly #request: CheckRequest & { folder: string };
  readonly #terms: CheckTerms;
  readonly #counts = { ok: 0, failed: 0, unread: 0, missing: 0, malformed: 0 };

  constructor(request: CheckRequest & { folder: string }, terms: CheckTerms) {
    this.#request = request;
    this.#terms = terms;
  }

  /** Compare the files that these lines name. */
  async compare(items: readonly string[]): Promise<void> {
    const expected = items.map(parseSum).filter((line) => line !== "comment");
    this.#counts.malformed += expected.filter((line) => line === undefined).length;
    const files = expected.filter((line) => line !== undefined).map((line) => ({ ...line, path: this.#pathOf(line) }));
    let at = 0;
    /** The line whose turn it is; those before it that no server need be asked about are told. */
    const next = (): Expected | undefined => {
      for (let file = files[at++]; file !== undefined; file = files[at++]) {
        const fault = pathFault(file.path);
        if (fault === undefined) return file;
        this.#unread(
          file,
          new StorageError("BAD_PATH", `${quote(file.name)} is not a path in the repository: ${fault}.`),
        );
      }
      return undefined;
    };
    const paths = files.map(({ path }) => path).filter((path) => pathFault(path) === undefined);
    await digestFiles(paths, {
      ...this.#terms,
      onDigest: (_, { sha256 }) => this.#compared(next(), sha256),
      onFailed: (_, error) => this.#unread(next(), error),
    });
    next();
  }

  /** Tell the counts. @returns the exit code @throws CommError MALFORMED */
  finish(): number {
    const { ok, failed, unread, malformed } = this.#counts;
    const { file, ignoresMissing, isStrict } = this.#request;
    const shown = file === "-" ? "standard input" : escapeText(file);
    if (ok + failed + unread + this.#counts.missing === 0) {
      throw new CommError("MALFORMED", `${shown}: no properly formatted checksum lines found`);
    }
    const { json, io, lines } = this.#terms;
    if (json) lines.add(toJson({ event: "finished", ...this.#counts }));
    else {
      const warn = (count: number, one: string, many: string) => {
        if (count > 0) io.note(`commserver-client: WARNING: ${count} ${count === 1 ? one : many}`);
      };
      warn(malformed, "line is improperly formatted", "lines are improperly formatted");
      warn(unread, "listed file could not be read", "listed files could not be read");
      warn(failed, "computed checksum did NOT match", "computed checksums did NOT match");
      if (ignoresMissing && ok + failed + unread === 0) io.note(`commserver-client: ${shown}: no file was verified`);
    }
    return failed + unread > 0 || ok === 0 || (isStrict && malformed > 0) ? EXIT.INCOMPLETE : EXIT.DONE;
  }

  #pathOf({ name }: SumLine): string {
    return joinPath(this.#request.folder, name.replace(/^(\.\/+)+/, ""));
  }

  #compared(file: Expected | undefined, sha256: string): void {
    if (file === undefined) return;
    const isSame = file.sha256 === sha256;
    this.#counts[isSame ? "ok" : "failed"]++;
    if (isSame && this.#request.isQuiet) return;
    this.#tell(file, isSame ? "OK" : "FAILED", { outcome: isSame ? "ok" : "failed", sha256 });
  }

  #unread(file: Expected | undefined, error: CommError): void {
    if (file === undefined) return;
    if (error.code === "NOT_FOUND" && this.#request.ignoresMissing) {
      this.#counts.missing++;
      return;
    }
    const { code, message } = error;
    this.#counts.unread++;
    if (!this.#terms.json) this.#terms.io.note(`commserver-client: ${describeError(error)}`);
    this.#tell(file, "FAILED open or read", { outcome: "unread", code, message });
  }

  #tell({ name }: Expected, words: string, members: object): void {
    const line = `${escapeText(name)}: ${words}`;
    this.#terms.lines.add(this.#terms.json ? toJson({ event: "checked", path: name, ...members }) : line);
  }
}
