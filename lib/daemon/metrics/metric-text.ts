/** One value of a metric, with its labels. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with all its values. The name of a counter ends with `_total`. */
export interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** The formats that Prometheus and its kin read: its own, and OpenMetrics 1.0. */
export const METRIC_TYPES = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} as const;
export type MetricFormat = keyof typeof METRIC_TYPES;

/** The format for a request with this Accept field; the older one unless it names the newer. */
export function formatFor(accept: string): MetricFormat {
  return accept.toLowerCase().includes("application/openmetrics-text") ? "openmetrics" : "text";
}

/** Metrics as text. A library would bring a registry of its own; all that is needed here is to write numbers down. */
export function metricText(metrics: readonly Metric[], format: MetricFormat): string {
  const end = format === "openmetrics" ? "# EOF\n" : "";
  return metrics.map((metric) => familyText(metric, format)).join("") + end;
}

function familyText({ name, type, help, samples }: Metric, format: MetricFormat): string {
  // In OpenMetrics a counter's name lacks the suffix that its samples have.
  const family = format === "openmetrics" && type === "counter" ? name.replace(/_total$/, "") : name;
  const lines = samples.map(({ labels, value }) => `${name}${labelText(labels)} ${value}\n`);
  return `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n${lines.join("")}`;
}

function labelText(labels: Sample["labels"] = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}
