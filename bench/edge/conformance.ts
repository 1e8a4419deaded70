import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '../../local/processes/ports.ts';
import { start, untilAnswers } from './processes.ts';

const run = promisify(execFile);
const main = new URL('../../dataplane/main.ts', import.meta.url).pathname;

interface Suite {
  readonly tests: readonly { readonly id: string; readonly kind?: string; readonly browser_only?: boolean }[];
}

/** Tests passed and tests run, by kind. */
export type Counts = Readonly<Record<string, { passed: number; total: number }>>;

/**
 * Runs the public HTTP cache conformance suite (github.com/http-tests/cache-tests, unpacked with its packages at `path`)
 * against an edge of its own: no default TTL, so RFC 9111 alone decides.
 */
export async function conformance(path: string): Promise<Counts> {
  const [originPort, edgePort] = [await freePort(), await freePort()];
  start('sh', ['-c', `cd "${path}" && exec node test-engine/server/server.mjs`], {
    npm_config_port: String(originPort),
    npm_config_protocol: 'http',
    npm_config_pidfile: '/dev/null',
  });
  await untilAnswers(`http://127.0.0.1:${originPort}/package.json`);
  start(process.execPath, [
    main,
    'edge',
    '--listen',
    `127.0.0.1:${edgePort}`,
    '--origin',
    `http://127.0.0.1:${originPort}`,
  ]);
  await untilAnswers(`http://127.0.0.1:${edgePort}/package.json`);
  const { stdout } = await run(process.execPath, ['--no-warnings', 'test-engine/cli.mjs'], {
    cwd: path,
    maxBuffer: 64 * 1024 * 1024,
    env: {
      ...process.env,
      npm_config_base: `http://127.0.0.1:${edgePort}`,
      npm_config_id: '',
      npm_package_config_id: '',
    },
  });
  return count(path, JSON.parse(stdout) as object);
}

async function count(path: string, results: object): Promise<Counts> {
  const load = (file: string): Promise<unknown> => import(pathToFileURL(join(path, file)).href);
  const { default: suites } = (await load('tests/index.mjs')) as { default: readonly Suite[] };
  const { determineTestResult, resultTypes } = (await load('test-engine/lib/results.mjs')) as {
    determineTestResult: (suites: readonly Suite[], id: string, results: object) => unknown;
    resultTypes: { readonly pass: unknown; readonly yes: unknown };
  };
  const counts: Record<string, { passed: number; total: number }> = {};
  for (const test of suites.flatMap((suite) => suite.tests)) {
    if (test.browser_only === true) continue;
    const entry = (counts[test.kind ?? 'required'] ??= { passed: 0, total: 0 });
    entry.total++;
    const result = determineTestResult(suites, test.id, results);
    if (result === resultTypes.pass || result === resultTypes.yes) entry.passed++;
  }
  return counts;
}
