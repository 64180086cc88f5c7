/**
 * Sum up JUnit files: `count.ts FAILED_STEPS FILE…`, with one failed step a line. A missing file, a run without tests
 * and a skipped test are failures: in CI everything must run.
 */
const [steps = "", ...files] = process.argv.slice(2);
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
