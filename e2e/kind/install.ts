import { expect } from 'vitest';
import { eventually } from '../eventually.ts';
import { fromNothing, promise } from './promise.ts';

fromNothing('helm install on an empty cluster, then the samples: all Ready', 300, async ({ cluster, note }) => {
  const started = Date.now();
  await cluster.install();
  const installed = Date.now();
  await cluster.applySamples();
  await cluster.settled(240_000);
  note(`chart ${(installed - started) / 1000} s, samples ${(Date.now() - installed) / 1000} s`);
  const resources = await cluster.list('edgenodes,searchshards,chatrooms,dbshards');
  expect(resources.map((it) => `${it.kind}/${it.metadata.name}`).toSorted()).toEqual([
    'ChatRoom/lobby',
    'ChatRoom/support',
    'DBShard/app-a',
    'DBShard/app-m',
    'EdgeNode/frankfurt',
    'EdgeNode/new-york',
    'EdgeNode/singapore',
    'SearchShard/products-0',
    'SearchShard/products-1',
  ]);
});

promise('replicas of a set are on nodes of their own, one in each zone', 20, async ({ cluster }) => {
  const pods = await cluster.pods();
  for (const set of ['db-app-a-', 'db-app-m-', 'search-products-0-', 'search-products-1-']) {
    const nodes = pods.filter((pod) => pod.name.startsWith(set)).map((pod) => pod.node);
    expect(nodes.length, set).toBeGreaterThan(1);
    expect(new Set(nodes).size, set).toBe(nodes.length);
  }
});

promise('helm test passes', 120, async ({ cluster }) => {
  await cluster.helmTest();
});

/** Connects from a pod that is not Quartet's; prints `open`, `closed` or `silent`. */
const knock = (host: string, port: number): string =>
  `const s=require('net').connect(${port},'${host}');` +
  `const end=(word)=>{console.log(word);process.exit()};` +
  `s.on('connect',()=>end('open'));s.on('error',()=>end('closed'));setTimeout(()=>end('silent'),5000)`;

promise('a pod that is not of Quartet cannot reach NATS', 60, async ({ cluster }) => {
  const { host, port } = cluster.natsService;
  const name = 'e2e-stranger';
  const stranger = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'knock',
          image: cluster.image,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '-e', knock(host, port)],
        },
      ],
    },
  };
  await cluster.kubectl('delete', 'pod', name, '--ignore-not-found', '--now');
  try {
    await cluster.apply(stranger);
    const said = await eventually(async () => {
      const text = (await cluster.kubectl('logs', name)).trim();
      if (text === '') throw new Error('the stranger said nothing yet');
      return text;
    }, 45_000);
    expect(said).not.toBe('open');
  } finally {
    await cluster.kubectl('delete', 'pod', name, '--ignore-not-found', '--now');
  }
});
