/** What a list or a watch is about: a pattern or a path, or a path whatever it looks like; undefined: everything. */
export type Asked = string | { readonly path: string };

/** The same as params of `list` and `watch`. */
export function paramsOf(asked: Asked | undefined): { glob?: string; path?: string } {
  if (typeof asked === "string") return { glob: asked };
  return asked === undefined ? {} : { path: asked.path };
}
