import type { EntryFacts } from "../app/events.ts";
import { askFolderName, askNewName, askRemoval } from "./dialogs.tsx";
import { type Folder, folderOf, otherOf } from "./folder.ts";
import { order } from "./session.ts";

export function openEntry(folder: Folder, { name, kind }: EntryFacts): Promise<void> | undefined {
  return kind === "folder" ? folder.open(folder.pathOf(name)) : undefined;
}

export function openParent(folder: Folder): Promise<void> | undefined {
  const parent = folder.listing.value?.parent;
  return parent === undefined ? undefined : folder.open(parent);
}

export async function moveChosen(folder: Folder): Promise<void> {
  const chosen = folder.chosen.value;
  const target = folderOf(otherOf(folder).side);
  if (chosen.length === 0) return;
  const paths = chosen.map(({ name }) => folder.pathOf(name));
  const into = target.listing.value?.path ?? target.path.value;
  if (await order({ ask: "transfer", from: folder.side, paths, into, exists: "ask" })) folder.select([]);
}

export async function makeFolder(folder: Folder): Promise<void> {
  const name = await askFolderName();
  if (name === undefined) return;
  if (await order({ ask: "makeFolder", side: folder.side, path: folder.pathOf(name) })) await folder.load();
}

export async function rename(folder: Folder): Promise<void> {
  const [only] = folder.chosen.value;
  if (only === undefined || folder.search.value !== "") return;
  const name = await askNewName(only.name);
  if (name === undefined || name === only.name) return;
  const [from, to] = [folder.pathOf(only.name), folder.pathOf(name)];
  if (!(await order({ ask: "rename", side: folder.side, from, to }))) return;
  await folder.load();
  folder.select([name]);
}

export async function removeChosen(folder: Folder): Promise<void> {
  const chosen = folder.chosen.value;
  if (chosen.length === 0 || !(await askRemoval(chosen))) return;
  await order({ ask: "remove", side: folder.side, paths: chosen.map(({ name }) => folder.pathOf(name)) });
  await folder.load();
}
