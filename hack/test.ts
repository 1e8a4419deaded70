/**
 * Runs the tiers of tests one after another, the quick ones first, and ends with a line `N passed, N failed`.
 * `node hack/test.ts tier...`; a tier is a project of vitest.config.ts. Which there are by default says the Makefile.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const tiers = process.argv.slice(2);
if (tiers.length === 0) {
  console.error('which tiers? `make test` knows them');
  process.exit(2);
}
const reports = mkdtempSync(join(tmpdir(), 'quartet-test-'));

const runTier = (tier: string, report: string): Promise<number> =>
  new Promise((resolve) => {
    const args = ['run', '--project', tier, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    spawn('vitest', args, { stdio: 'inherit' }).once('close', (code) => resolve(code ?? 1));
  });

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    /** The file. */
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

interface Outcome {
  readonly passed: number;
  /** What failed and the first line of why. */
  readonly failures: readonly string[];
}

const firstLine = (text: string): string => text.trim().split('\n', 1)[0]?.slice(0, 300) ?? '';

/** A file that broke before its tests ran (it does not load, its set-up failed) counts as one failure. */
const failuresOf = ({ testResults }: Report): string[] =>
  testResults
    .filter(({ status }) => status === 'failed')
    .flatMap(({ name, message, assertionResults }) => {
      const file = relative(process.cwd(), name);
      const failed = assertionResults.filter(({ status }) => status === 'failed');
      if (failed.length === 0) return [`${file}: ${firstLine(message)}`];
      return failed.map((one) => `${file}: ${one.fullName}: ${firstLine(one.failureMessages[0] ?? '')}`);
    });

/** A tier that broke before it could report counts as one failure. */
const outcome = (report: string, tier: string, code: number): Outcome => {
  try {
    const read = JSON.parse(readFileSync(report, 'utf8')) as Report;
    const failures = failuresOf(read);
    if (code !== 0 && failures.length === 0) failures.push(`${tier}: vitest ended with ${code}`);
    return { passed: read.numPassedTests, failures };
  } catch (error) {
    return { passed: 0, failures: [`${tier}: no report: ${String(error)}`] };
  }
};

let total = 0;
const failures: string[] = [];
for (const tier of tiers) {
  const started = Date.now();
  const report = join(reports, `${tier}.json`);
  const result = outcome(report, tier, await runTier(tier, report));
  total += result.passed;
  failures.push(...result.failures);
  const seconds = Math.round((Date.now() - started) / 1000);
  console.log(`${tier}: ${result.passed} passed, ${result.failures.length} failed in ${seconds} s`);
}
rmSync(reports, { recursive: true, force: true });
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${total} passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);
