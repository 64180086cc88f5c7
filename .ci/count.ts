/**
 * Sum up JUnit files: `count.ts OUTPUT FAILED_STEPS FILE…`, with what the steps printed and one failed step a line. A
 * missing file, a run without tests and a skipped test are failures: in CI everything must run.
 */
const [output = "", steps = "", ...files] = process.argv.slice(2);
/** Lines that are shown before the one that says that a test failed. */
const SHOWN_LINES = 60;
/** How the runner's line of a finished test begins. */
const FINISHED = /^\((pass|skip|todo|fail)\) /;

/** What was printed since the test before, and the line that says that this one failed. */
function detailsOf(lines: readonly string[], failed: number): string[] {
  const from = lines.findLastIndex((line, at) => at < failed && FINISHED.test(line)) + 1;
  return lines.slice(Math.max(from, failed - SHOWN_LINES), failed + 1);
}

const lines = (await Bun.file(output).text()).split("\n");
lines.forEach((line, at) => {
  if (line.startsWith("(fail) ")) console.log(detailsOf(lines, at).join("\n"));
});
const failedSteps = steps.split("\n").filter((step) => step !== "");
let passed = 0;
let failed = 0;
for (const file of files) {
  const xml = (await Bun.file(file).exists()) ? await Bun.file(file).text() : "";
  const attribute = (name: string) => Number(/<testsuites\b[^>]*>/.exec(xml)?.[0].match(` ${name}="(\\d+)"`)?.[1] ?? 0);
  const [tests, failures, skipped] = [attribute("tests"), attribute("failures"), attribute("skipped")];
  for (const [, name] of xml.matchAll(/<testcase name="([^"]*)"[^>]*>\s*<skipped/g))
    console.log(`skipped in CI: ${name}`);
  for (const [, name] of xml.matchAll(/<testcase name="([^"]*)"[^>]*>\s*<failure/g)) console.log(`failed: ${name}`);
  console.log(`${file}: ${tests} tests, ${failures} failed, ${skipped} skipped`);
  passed += tests - failures - skipped;
  failed += failures + skipped + (tests === 0 ? 1 : 0);
}
if (failed === 0) failed += failedSteps.length;
for (const step of failedSteps) console.log(`== failed: ${step}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

export {};
