import { expect, test } from 'vitest';
import { killProcesses } from './processes.ts';
import { eventually, runningQuartet } from './quartet.ts';
import { longestOutage, underTraffic } from './under-traffic.ts';

const quartet = runningQuartet();

/** Every fault of this file is reported in one line. */
const broken = async (name: string, breakIt: () => Promise<void>, mend: () => Promise<void>) => {
  const report = await underTraffic(quartet, { name, breakIt, mend });
  process.stdout.write(`${name}: ${JSON.stringify(report)}\n`);
  return report;
};

test('a killed operator stops no service, and comes back', async () => {
  const [operator] = await quartet.pods('quartet-operator');
  const report = await broken(
    'operator killed',
    async () => void (await quartet.quartet('kill', 'pod', `${operator?.namespace}/${operator?.name}`)),
    () => quartet.settled(),
  );
  expect(longestOutage(report)).toBeLessThan(1_500);
});

test('a killed API server stops no service; all catches up when it is back', async () => {
  const report = await broken(
    'API server killed',
    async () => void expect(killProcesses(quartet.stateDir, 'kube-apiserver')).toBe(1),
    () => quartet.settled(),
  );
  expect(longestOutage(report)).toBeLessThan(1_500);
});

test('a killed nats-server: every service recovers by itself and nothing acknowledged is lost', async () => {
  await broken(
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
  const report = await broken(
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
