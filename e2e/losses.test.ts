import { expect, test } from 'vitest';
import { killProcesses } from './processes.ts';
import { eventually, runningQuartet } from './quartet.ts';
import { Everything, type EverythingReport } from './workloads/everything.ts';

const quartet = runningQuartet();

/** Runs traffic, breaks something, waits until all four services made progress again, and reports. */
const underTraffic = async (name: string, breakIt: () => Promise<void>, mend: () => Promise<void>) => {
  await quartet.settled();
  const traffic = new Everything(quartet.endpoints, `${name.replaceAll(' ', '-')}-${Date.now()}`);
  await traffic.start();
  const progressed = (since: Everything['successes']) => async () => {
    const { successes } = traffic;
    for (const service of ['database', 'chat', 'edge', 'search'] as const) {
      expect(successes[service], `${service} made no progress`).toBeGreaterThan(since[service] + 20);
    }
  };
  await eventually(progressed({ database: 0, chat: 0, edge: 0, search: 0 }), 30_000, 50);
  traffic.resetOutages();
  await breakIt();
  await eventually(progressed(traffic.successes), 40_000, 50);
  await mend();
  await eventually(progressed(traffic.successes), 40_000, 50);
  const report = await traffic.finish();
  process.stdout.write(`${name}: ${JSON.stringify(report)}\n`);
  expect(report.database.lost).toEqual([]);
  expect(report.chat).toMatchObject({ missing: [], doubled: [], ordered: true });
  return report;
};

const longestOutage = (report: EverythingReport): number => Math.max(...Object.values(report.outages));

test('a killed operator stops no service, and comes back', async () => {
  const [operator] = await quartet.pods('quartet-operator');
  const report = await underTraffic(
    'operator killed',
    async () => void (await quartet.quartet('kill', 'pod', `${operator?.namespace}/${operator?.name}`)),
    () => quartet.settled(),
  );
  expect(longestOutage(report)).toBeLessThan(1_500);
});

test('a killed API server stops no service; all catches up when it is back', async () => {
  const report = await underTraffic(
    'API server killed',
    async () => void expect(killProcesses(quartet.stateDir, 'kube-apiserver')).toBe(1),
    () => quartet.settled(),
  );
  expect(longestOutage(report)).toBeLessThan(1_500);
});

test('a killed nats-server: every service recovers by itself and nothing acknowledged is lost', async () => {
  await underTraffic(
    'nats-server killed',
    async () => void expect(killProcesses(quartet.stateDir, 'nats-server')).toBeGreaterThan(0),
    () => quartet.settled(),
  );
});

test('a killed node: all four services answer within 15 s, replicas are rebuilt elsewhere, revive brings balance', async () => {
  await quartet.settled();
  const node = (await quartet.pods((await quartet.status('dbshards', 'app-a')).primary ?? ''))[0]?.node ?? '';
  const replicasOn = async (name: string) =>
    (await quartet.pods()).filter((pod) => pod.node === name && /^(db|search)-(app|products)/.test(pod.name)).length;
  const report = await underTraffic(
    'node killed',
    async () => {
      await quartet.quartet('kill', 'node', node);
    },
    async () => {
      // rebuilt on the nodes that are left
      await eventually(async () => expect(await replicasOn(node)).toBe(0), 120_000);
      await quartet.settled(120_000);
      await quartet.quartet('revive', 'node', node);
      await eventually(async () => expect(await replicasOn(node)).toBeGreaterThan(0), 120_000);
      await quartet.settled(120_000);
    },
  );
  expect(longestOutage(report)).toBeLessThan(15_000);
}, 500_000);
