/**
 * The subject of a list or a watch: a pattern or path, or a path even if it looks like a pattern; undefined:
 * everything.
 */
export type Asked = string | { readonly path: string };

/** The subject as params of `list` and `watch`. */
export function paramsOf(asked: Asked | undefined): { glob?: string; path?: string } {
  if (typeof asked === "string") return { glob: asked };
  return asked === undefined ? {} : { path: asked.path };
}
