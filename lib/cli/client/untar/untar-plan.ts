import type { Filter } from "../../../client/filter.ts";
import type { PlanEvents } from "../../../client/plan.ts";
import type { UploadItem } from "../../../client/transfer.ts";
import { CommError, StorageError, toCommError } from "../../../errors.ts";
import { FoldersAbove } from "../../../folders-above.ts";
import { joinPath, pathFault } from "../../../path.ts";
import { quote } from "../../../quote.ts";
import type { MemberRoom } from "./member-room.ts";
import { type TarMember, type TarMemberHead, tarMembers } from "./tar-members.ts";

export interface UntarPlanOptions extends PlanEvents<UploadItem> {
  /** What the tar is called in reports. */
  readonly source: string;
  /** Its bytes. */
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly room: MemberRoom;
  /** Folder of the repository; "" is its root. */
  readonly to: string;
  /** What is taken of the members, by their paths in the tar. */
  readonly filter?: Filter | undefined;
}

/**
 * The files and folders of a tar, in its order, as they come. A member that can't be taken fails alone; when the tar
 * fails, all before that is sent.
 */
export async function* planUntar(options: UntarPlanOptions): AsyncGenerator<UploadItem[], void> {
  const { source, chunks, filter, onPlanned, onFailed, onLeftOut } = options;
  const above = new FoldersAbove<UploadItem & { path: string }>();
  try {
    for await (const member of tarMembers(chunks)) {
      const path = pathOf(member.name);
      // "./": the folder that the tar was made of.
      if (path === "" && !member.name.startsWith("/")) continue;
      if (filter?.takes({ ...member, path, kind: kindOf(member) }) === false) continue;
      const fault = memberFault(member, path);
      if (fault !== undefined) onFailed(member.name, fault);
      else if (member.type === "link")
        onLeftOut({ path, code: "NOT_ALLOWED", why: `a link to ${quote(member.target)}` });
      else if (member.type === "other") onLeftOut({ path, code: "NOT_A_FILE", why: "neither a file nor a folder" });
      else if (member.type === "folder") {
        const folder = folderOf(member, path, options);
        if (filter?.takesEmptyFolders === false) above.enter({ ...folder, path });
        else yield planned([folder], onPlanned);
      } else yield planned([...above.take(path), await fileOf(member, path, options)], onPlanned);
    }
  } catch (thrown) {
    onFailed(source, toCommError(thrown));
  }
}

function planned(items: UploadItem[], onPlanned: (item: UploadItem) => void): UploadItem[] {
  for (const item of items) onPlanned(item);
  return items;
}

function kindOf({ type }: TarMemberHead): string {
  return type === "folder" ? "folder" : "file";
}

/** The path of a member below the folder that it is unpacked into, as it is written but for "./" and slashes. */
function pathOf(name: string): string {
  const names = name.split("/").filter((part) => part !== "" && part !== ".");
  return (name.startsWith("/") ? "/" : "") + names.join("/");
}

/** Some tars look for holes by themselves. */
const WITHOUT_HOLES = "without --sparse, with bsdtar --no-read-sparse";

/** Why a member can't be taken. */
function memberFault({ name, type, target, isSparse }: TarMemberHead, path: string): CommError | undefined {
  const bad = pathFault(path) ?? (path.includes("\ufffd") ? "it is not UTF-8" : undefined);
  if (bad !== undefined) return new StorageError("BAD_PATH", `${quote(name)} is not a path in the repository: ${bad}.`);
  if (type === "hard link") {
    const words = "a tar has its bytes only once. Make the tar with --hard-dereference.";
    return new CommError("INCOMPLETE", `${quote(name)} is a hard link to ${quote(target)}: ${words}`);
  }
  if (!isSparse) return undefined;
  return new CommError("INCOMPLETE", `${quote(name)} is a sparse file. Make the tar ${WITHOUT_HOLES}.`);
}

function folderOf({ mode, modifiedAt }: TarMember, path: string, { to }: UntarPlanOptions): UploadItem {
  const none = async (): Promise<never> => {
    throw new CommError("NOT_A_FILE", `${quote(path)} is a folder.`);
  };
  const local = { open: none, load: none };
  return { from: path, to: joinPath(to, path), kind: "folder", size: 0, modifiedAt, mode, local };
}

async function fileOf(member: TarMember, path: string, { to, room }: UntarPlanOptions): Promise<UploadItem> {
  const { size, modifiedAt, mode } = member;
  const facts = { path, kind: "file", size, modifiedAt, mode, executable: (mode & 0o100) !== 0 } as const;
  const item = { from: path, to: joinPath(to, path), kind: "file", size, modifiedAt, mode } as const;
  return { ...item, local: await room.take(item.to, member, facts) };
}
