import type { Step } from "../conversation.ts";
import type { Prng } from "../prng.ts";
import { mutateBytes } from "./bytes.ts";
import type { StepMutator } from "./steps.ts";

/** Bytes that one line may be filled up to. */
const MAX_FILL = 20_000;

const METHODS = [
  "GET",
  "HEAD",
  "PUT",
  "POST",
  "PATCH",
  "DELETE",
  "MKCOL",
  "COPY",
  "MOVE",
  "PROPFIND",
  "OPTIONS",
  "PRI",
];
const TARGETS = [
  "*",
  "/",
  "/files",
  "/files/",
  "/files/docs/",
  "/files/docs/a.txt",
  "/files/new",
  "/files/escape/outside.txt",
  "/files/loop/docs/a.txt",
  "/files/../outside.txt",
  "/files/%2e%2e/outside.txt",
  "/files/..%2foutside.txt",
  "/files/%00",
  "/files/%ff",
  "/files//",
  "http://other/files/docs/a.txt",
  "/files/?archive=tar",
  "/files/docs/?archive=zip",
  "/files/big.bin?metalink",
  "/files/?format=json",
  "/files/new?upload=0-0",
  "/files/docs/a.txt?etag=x",
  "//x/y",
]; // prettier-ignore
const LINES = [
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: gzip, chunked",
  "Content-Length: 0",
  "Content-Length: 5",
  "Content-Length: 99999999999999999999",
  "Content-Length: -1",
  "Content-Length : 5",
  " folded",
  "X\0: y",
  "Expect: 100-continue",
  "Connection: close",
  "Connection: keep-alive, Upgrade",
  "Upgrade: h2c",
  "Host: other",
  "Range: bytes=0-0,2-",
  "Range: bytes=-1",
  "Range: bytes=99999999999999999999-",
  "Content-Range: bytes 0-4/5",
  "Content-Range: bytes 5-9/10",
  "If-Match: *",
  "If-None-Match: *",
  "If-Range: x",
  "If-Modified-Since: Fri, 31 Dec 9999 23:59:60 GMT",
  "Destination: /files/copy",
  "Destination: /files/escape/copy",
  "Destination: /files/../copy",
  "Destination: http://other/files/x",
  "Overwrite: F",
  "Depth: 0",
  "Depth: 1",
  "Depth: infinity",
  "Digest: SHA-256=x",
  "X-OC-MTime: 1e9",
  "X-Expected-Entity-Length: 5",
  "Content-Encoding: gzip",
  "Authorization: Basic eDp5",
  "Tus-Resumable: 1.0.0",
  "Upload-Length: 5",
  "Upload-Offset: 0",
  "Accept: application/json",
]; // prettier-ignore
const NUMBERS = [
  "0",
  "-0",
  "1",
  "5",
  "+5",
  "0x5",
  "1e1",
  "65536",
  "1048577",
  "4294967301",
  "9007199254740993",
  "99999999999999999999",
];
const ENDS = ["\n", "\r", "\r\r\n", " \r\n", "\r\n\r\n", ""];

/** A change to one request, as deep in it as it goes. */
export function mutateHttp(text: string, prng: Prng): string {
  const lines = text.split("\r\n");
  const at = prng.below(lines.length);
  const line = lines[at] ?? "";
  switch (prng.below(12)) {
    case 0:
      return lines.with(0, (lines[0] ?? "").replace(/^\S*/, prng.pick(METHODS))).join("\r\n");
    case 1:
    case 2:
      return lines.with(0, (lines[0] ?? "").replace(/(?<= )\S*/, prng.pick(TARGETS))).join("\r\n");
    case 3:
    case 4:
      return lines.toSpliced(Math.max(1, at), 0, prng.pick(LINES)).join("\r\n");
    case 5:
      return lines.toSpliced(at, 1).join("\r\n");
    case 6:
      return lines.toSpliced(prng.below(lines.length), 0, line).join("\r\n");
    case 7:
      return lines.with(at, line.replace(/\d+/, prng.pick(NUMBERS))).join("\r\n");
    case 8:
      return `${lines.slice(0, at + 1).join("\r\n")}${prng.pick(ENDS)}${lines.slice(at + 1).join("\r\n")}`;
    case 9:
      return lines
        .with(at, line + prng.pick(["a", ",", "0-,", "\t", "%2e%2e/", "\xff"]).repeat(prng.below(MAX_FILL / 8)))
        .join("\r\n");
    case 10:
      return text.slice(0, prng.below(text.length + 1));
    default:
      return mutateBytes(Buffer.from(text, "latin1"), prng).toString("latin1");
  }
}

/** Change one request of a conversation. */
export const changeHttp: StepMutator = (steps, prng) => {
  const places = steps.flatMap(({ kind }, at) => (kind === "http" ? [at] : []));
  if (places.length === 0) return [...steps];
  const at = prng.pick(places);
  const step = steps[at];
  if (step?.kind !== "http") return [...steps];
  const changed: Step = { ...step, text: mutateHttp(step.text, prng) };
  return steps.with(at, changed);
};
