import { expect } from 'vitest';
import { eventually } from '../eventually.ts';
import { promise } from './promise.ts';

promise(
  'uninstall leaves the volumes that are retained and the definitions of the four kinds, and nothing else',
  240,
  async ({ cluster, note }) => {
    // the samples say Retain for databases and Delete for search; the chart keeps those of NATS
    const retained = (await cluster.list('persistentvolumeclaims', '-A'))
      .map(({ metadata }) => metadata.name)
      .filter((name) => !name.startsWith('data-search-'))
      .toSorted();
    expect(retained.some((name) => name.includes('app-a'))).toBe(true);
    await cluster.deleteResources();
    await cluster.deleteSite();
    await cluster.uninstall();
    await eventually(async () => expect(await cluster.leftovers()).toEqual([]), 90_000, 1_000);
    const left = (await cluster.list('persistentvolumeclaims', '-A')).map(({ metadata }) => metadata.name).toSorted();
    expect(left).toEqual(retained);
    const definitions = (await cluster.list('customresourcedefinitions'))
      .map(({ metadata }) => metadata.name)
      .filter((name) => name.endsWith('.quartet.dev'));
    expect(definitions.toSorted()).toEqual([
      'chatrooms.quartet.dev',
      'dbbackups.quartet.dev',
      'dbshards.quartet.dev',
      'edgenodes.quartet.dev',
      'searchshards.quartet.dev',
    ]);
    note(`left: ${left.length} volumes that are retained, 5 definitions (kept by policy)`);
  },
);
