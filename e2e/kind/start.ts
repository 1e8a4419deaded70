import type { TestProject } from 'vitest/node';
import { Progress } from '../../cli/progress.ts';
import { down } from '../../hack/kind/down.ts';
import { clusterUp, type KindUp } from '../../hack/kind/up.ts';
import { kindTools } from '../../hack/kind/kind-tools.ts';
import { nodesOf } from '../../hack/kind/cluster.ts';
import { KindCluster } from './cluster.ts';
import { placeOf } from './place.ts';

const isUp = async (): Promise<boolean> => {
  const tools = await kindTools(() => {});
  return (await nodesOf(tools).catch(() => [])).length > 0;
};

/** With QUARTET_E2E_IMAGE=repository:tag the nodes hold that image already: nothing is built, and the cluster is used as it is. */
const given = async (): Promise<Pick<KindUp, 'tools' | 'image'> | undefined> => {
  const [repository, tag] = (process.env['QUARTET_E2E_IMAGE'] ?? '').split(':');
  return repository && tag ? { tools: await kindTools(() => {}), image: { repository, tag } } : undefined;
};

/**
 * The kind cluster of `make kind`, with two workers more than that has when it is made now. One that runs already is used: what
 * is installed in it is removed by the first test, and it stays. One that was made for the tests goes after them.
 */
const start = async (project: TestProject): Promise<(() => Promise<void>) | undefined> => {
  const reused = (await given()) !== undefined || (await isUp());
  process.stdout.write(
    reused
      ? 'e2e on kind: the cluster that runs is used; what is installed in it is REMOVED, with its data\n'
      : 'e2e on kind: a cluster of one control plane and five workers is made for the tests, and deleted after them\n',
  );
  process.env['WORKERS'] ??= '5';
  const progress = new Progress();
  const up = (await given()) ?? (await clusterUp(progress));
  progress.done();
  const place = placeOf(up);
  await new KindCluster(place).closeSpareWorkers();
  project.provide('place', place);
  return reused ? undefined : () => down(new Progress());
};

export default start;
