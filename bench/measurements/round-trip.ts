import { encodeFrame } from "../../lib/protocol/header.ts";
import { encodeJson } from "../../lib/protocol/json.ts";
import { Flag, Opcode } from "../../lib/protocol/opcode.ts";
import type { RoundAnswer } from "../probes/answer-rounds.ts";
import { BenchServer } from "../support/bench-server.ts";
import { type Placement, placements } from "../support/cores.ts";
import { Probe } from "../support/probe.ts";
import { SAMPLE_REPOSITORY } from "../support/sample-repository.ts";
import { median } from "../support/statistics.ts";
import type { Context, Figure, Measurement, Outcome } from "./measurement.ts";

const TEXT = "hello";
const WARM_UP = { count: 5_000 };
const ROUND = { count: 5_000 };

/** A message to an idle server and its answer, beside bare bytes of the same size to a bare echo server. */
export const roundTrip: Measurement = {
  name: "round-trip",
  title: "message round trip, idle",
  async run(context: Context): Promise<Outcome> {
    const figures: Figure[] = [];
    for (const placement of placements()) figures.push(...(await measure(placement, context)));
    return { figures };
  },
};

async function measure(placement: Placement, context: Context): Promise<Figure[]> {
  const atServer = { core: placement.server };
  const atClient = { core: placement.client };
  await using server = await BenchServer.start(context, { repository: SAMPLE_REPOSITORY, maxClients: 1, ...atServer });
  await using messages = await Probe.start("message-probe", context, { args: [server.port, TEXT], ...atClient });
  await using echoServer = await Probe.start("echo-server", context, atServer);
  const { port } = await echoServer.answer<{ port: number }>();
  await using echoes = await Probe.start("echo-probe", context, { args: [port, requestBytes()], ...atClient });

  const ours: RoundAnswer[] = [];
  const bare: RoundAnswer[] = [];
  for (const probe of [messages, echoes]) await probe.ask(WARM_UP);
  for (let round = 0; round < context.rounds; round++) {
    // In turns, so that other work of the machine affects both.
    ours.push(await messages.ask(ROUND));
    bare.push(await echoes.ask(ROUND));
  }
  return (["medianUs", "p99Us"] as const).flatMap((key) => figuresOf(key, placement, ours, bare));
}

function figuresOf(
  key: keyof RoundAnswer,
  { name }: Placement,
  ours: readonly RoundAnswer[],
  bare: readonly RoundAnswer[],
): Figure[] {
  const what = `${name}, ${key === "medianUs" ? "median" : "p99"}`;
  const ratios = ours.map((answer, round) => answer[key] / (bare[round] as RoundAnswer)[key]);
  return [
    { what, value: median(ours.map((answer) => answer[key])), unit: "µs" },
    { what: `${what}, bare echo`, value: median(bare.map((answer) => answer[key])), unit: "µs" },
    {
      what: `${what}, to bare echo`,
      value: median(ratios),
      unit: "times",
      ...(key === "medianUs" && { goal: 2 }),
    },
  ];
}

/** Bytes of the frame that asks for it. */
function requestBytes(): number {
  const open = encodeJson({ method: "message", params: { text: TEXT } });
  return encodeFrame(Opcode.OPEN, 1, open, Flag.END).length;
}
