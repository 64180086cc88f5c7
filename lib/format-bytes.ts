const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"] as const;

/** `999 B`, `1.5 KB`, `12 MB`: powers of 1000, two significant digits at least. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}
