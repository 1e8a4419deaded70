/**
 * Runs the tiers of tests one after another, the quick ones first, and ends with a line `N passed, N failed`.
 * `node hack/test.ts [tier...]`; a tier is a project of vitest.config.ts.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const tiers = process.argv.length > 2 ? process.argv.slice(2) : ['unit', 'integration', 'faults', 'e2e'];
const reports = mkdtempSync(join(tmpdir(), 'quartet-test-'));

const runTier = (tier: string, report: string): Promise<number> =>
  new Promise((resolve) => {
    const args = ['run', '--project', tier, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    spawn('vitest', args, { stdio: 'inherit' }).once('close', (code) => resolve(code ?? 1));
  });

/** A tier that broke before it could count (a file that does not load, a set-up that failed) counts as one failure. */
const count = (report: string, code: number): { passed: number; failed: number } => {
  try {
    const read = JSON.parse(readFileSync(report, 'utf8')) as { numPassedTests: number; numFailedTests: number };
    return { passed: read.numPassedTests, failed: read.numFailedTests || (code === 0 ? 0 : 1) };
  } catch {
    return { passed: 0, failed: 1 };
  }
};

const total = { passed: 0, failed: 0 };
for (const tier of tiers) {
  const started = Date.now();
  const report = join(reports, `${tier}.json`);
  const { passed, failed } = count(report, await runTier(tier, report));
  total.passed += passed;
  total.failed += failed;
  console.log(`${tier}: ${passed} passed, ${failed} failed in ${Math.round((Date.now() - started) / 1000)} s`);
}
rmSync(reports, { recursive: true, force: true });
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
