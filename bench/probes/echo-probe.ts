/** Round trips of bare bytes: echo-probe PORT BYTES. */
import { answerRounds } from "./answer-rounds.ts";

const [port, size] = process.argv.slice(2).map(Number) as [number, number];
const payload = new Uint8Array(size).fill(0x61);
let missing = 0;
let settle: () => void = () => {};

const socket = await Bun.connect({
  hostname: "127.0.0.1",
  port,
  socket: {
    open: (opened) => {
      opened.setNoDelay(true);
    },
    data: (_, bytes) => {
      missing -= bytes.length;
      if (missing === 0) settle();
    },
    close: () => process.exit(1),
  },
});

await answerRounds(
  () =>
    new Promise<void>((resolve) => {
      missing = size;
      settle = resolve;
      socket.write(payload);
    }),
);
process.exit(0);
