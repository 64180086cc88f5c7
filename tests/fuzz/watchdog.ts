/** A thread that ends the process when one group of cases takes longer than this: the event loop itself hangs. */
const LIMIT_MS = 180_000;

let last = -1;
let since = Date.now();

globalThis.addEventListener("message", ({ data }: MessageEvent<{ beat: Int32Array; seed: number }>) => {
  setInterval(() => {
    const beat = Atomics.load(data.beat, 0);
    if (beat !== last) {
      last = beat;
      since = Date.now();
    } else if (Date.now() - since > LIMIT_MS) {
      console.error(
        `\nseed ${data.seed}: nothing has happened for ${LIMIT_MS / 1_000} s since case ${beat} of its target`,
      );
      process.kill(process.pid, "SIGKILL");
    }
  }, 1_000);
});
