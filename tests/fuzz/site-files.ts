import { filled } from "./conversation.ts";

/** The repository that the corpus talks about, and of which it names every file but the sentinels. */
export const SITE_FILES: Readonly<Record<string, Buffer>> = {
  "welcome.txt": Buffer.from("Welcome.\n"),
  "docs/a.txt": Buffer.from("abc"),
  "docs/b.bin": filled(5_000),
  "big.bin": filled(1_048_576 + 1_000),
};

/** In the repository, and never named by anybody: no mutation may reach them. */
export const SENTINELS: Readonly<Record<string, Buffer>> = {
  "kept-6f1d9c/sentinel.bin": filled(3_333),
  "kept-6f1d9c/deep-b7/sentinel.txt": Buffer.from("Nobody has named this file.\n"),
};

export const MODIFIED_AT = 1_600_000_000_000;
