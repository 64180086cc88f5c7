/** An icon of the page's sprite; it only decorates. */
export function Icon({ name }: { name: string }) {
  return (
    <svg class="icon" aria-hidden="true">
      <use href={`/icons.svg#${name}`} />
    </svg>
  );
}

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/\.(png|jpe?g|gif|webp|avif|svg|bmp|heic|tiff?)$/i, "file-image"],
  [/\.(mp4|mkv|webm|mov|avi|m4v)$/i, "file-video"],
  [/\.(mp3|flac|wav|ogg|opus|m4a|aac)$/i, "file-audio"],
  [/\.(zip|tar|t?gz|xz|zst|bz2|7z|rar|iso|img)$/i, "file-archive"],
  [/\.(txt|md|pdf|docx?|odt|rtf|csv|log)$/i, "file-text"],
  [/\.(ts|js|py|rs|go|c|h|cpp|java|sh|json|ya?ml|toml|html|css|xml|sql)$/i, "file-code"],
];

export function iconOf({ name, kind }: { name: string; kind: string }): string {
  if (kind === "folder") return "folder";
  if (kind === "link") return "link-2";
  return KINDS.find(([pattern]) => pattern.test(name))?.[1] ?? "file";
}

export function IconButton(props: {
  icon: string;
  label: string;
  onClick(): void;
  disabled?: boolean | undefined;
  withText?: boolean | undefined;
  class?: string;
}) {
  const { icon, label, onClick, disabled, withText } = props;
  return (
    <button
      type="button"
      class={props.class ?? "tool"}
      title={label}
      aria-label={label}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
      {withText && <span>{label}</span>}
    </button>
  );
}
