/** The value below which the share `q` of `values` lies (nearest rank). */
export function quantile(values: ArrayLike<number>, q: number): number {
  if (values.length === 0) throw new Error("no values to take a quantile of");
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] as number;
}

export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}
