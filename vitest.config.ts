import { defineConfig } from 'vitest/config';

// Two projects: `unit` is pure and parallel; `integration` starts real servers
// (nats-server, a Kubernetes control plane, our own roles as processes) and
// runs one file at a time, so that timings stay honest on two cores.
const report = process.env['VITEST_REPORT'];

export default defineConfig({
  test: {
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{crds,contract,operator,dataplane,local,cli,hack,charts}/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.integration.test.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          include: ['{operator,dataplane,local,cli,e2e}/**/*.integration.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
