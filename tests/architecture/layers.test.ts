/** What each folder of lib may import is what CONTRIBUTING.md's table of layers says, type imports included. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

const root = join(import.meta.dir, "../..");
const KERNEL = "the kernel";
const RUNTIME = "the runtime";

/** Rows by folder, "the kernel" for `lib/*.ts`. */
const layers = new Map(
  [...readFileSync(join(root, "CONTRIBUTING.md"), "utf8").matchAll(/^\| `lib\/(\S+)`\s*\|[^|]*\|([^|]*)\|$/gm)].map(
    ([, folder = "", imports = ""]) => [
      folder === "*.ts" ? KERNEL : folder,
      imports
        .replaceAll("`", "")
        .split(",")
        .map((word) => word.trim()),
    ],
  ),
);

const files = readdirSync(join(root, "lib"), { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => /\.tsx?$/.test(file));

/** As a row names it: a folder of lib, a package, "the runtime"; a file of lib stays whole. */
function importsOf(file: string): string[] {
  const source = readFileSync(join(root, "lib", file), "utf8");
  const specifiers = source.matchAll(/(?:^(?:import|export) (?:[^;]*? from )?|\bimport\()"([^"\n]+)"/gm);
  return [...specifiers].map(([, specifier = ""]) => {
    if (specifier.startsWith(".")) return posix.join(posix.dirname(file), specifier);
    if (/^(?:node:|bun(?:$|:))/.test(specifier)) return RUNTIME;
    return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  });
}

/** The folder of the row that a file belongs to: one below another may have a row of its own. */
function folderOf(file: string): string {
  const [top, below] = file.split("/", 2);
  if (!file.includes("/")) return KERNEL;
  return layers.has(`${top}/${below}`) ? `${top}/${below}` : (top as string);
}

/** A file of lib, not a package. */
function isFile(imported: string): boolean {
  return /\.(?:tsx?|txt)$/.test(imported);
}

function isIn(folder: string, named: string): boolean {
  return folder === named || folder.startsWith(`${named}/`);
}

function mayImport(file: string, imported: string): boolean {
  const allowed = layers.get(folderOf(file)) ?? [];
  if (allowed.includes("all")) return !imported.startsWith("..");
  const target = isFile(imported) ? folderOf(imported) : imported;
  if (target === KERNEL || target === folderOf(file) || allowed.includes(imported)) return true;
  return allowed.some((named) => isIn(target, named));
}

describe("layers", () => {
  test("each folder has a row, and each row a folder", () => {
    expect([...new Set(files.map(folderOf))].sort()).toEqual([...layers.keys()].sort());
  });

  test("no file imports what its row does not name", () => {
    const broken = files.flatMap((file) =>
      importsOf(file)
        .filter((imported) => !mayImport(file, imported))
        .map((imported) => `${file} imports ${imported}`),
    );
    expect(broken).toEqual([]);
  });

  test("no row names what none of its files imports", () => {
    const idle = [...layers].flatMap(([folder, allowed]) => {
      const imported = new Set(files.filter((file) => folderOf(file) === folder).flatMap(importsOf));
      const used = new Set([...imported, ...[...imported].filter((name) => isFile(name)).map(folderOf)]);
      return allowed
        .filter((name) => !["all", "–"].includes(name) && ![...used].some((each) => isIn(each, name)))
        .map((name) => `${folder}: ${name}`);
    });
    expect(idle).toEqual([]);
  });
});
