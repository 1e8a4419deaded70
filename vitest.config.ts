import { defineConfig } from 'vitest/config';

// `unit` is pure and parallel; `integration` starts real servers (nats-server, a Kubernetes control plane, our own
// roles as processes), two files at a time, because much of the time they wait; `faults` breaks a database for three
// minutes and checks what its clients saw; `e2e` runs against one whole Quartet, brought up by `quartet up`; `kind` runs
// against one on a kind cluster, and needs Docker.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{crds,contract,operator,dataplane,local,cli,hack,charts,e2e/faults}/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.integration.test.ts', '**/*.faults.test.ts'],
          // property tests on a busy machine
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['{operator,dataplane,local,cli,charts}/**/*.integration.test.ts'],
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['e2e/faults/**/*.faults.test.ts'],
          testTimeout: 480_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['e2e/*.test.ts'],
          globalSetup: ['e2e/start.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'kind',
          include: ['e2e/kind/all.test.ts'],
          globalSetup: ['e2e/kind/start.ts'],
          fileParallelism: false,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
