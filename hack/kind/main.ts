/** `node hack/kind/main.ts up|cluster|down`; see `make help`. */
import { Progress } from '../../cli/progress.ts';
import { reasonOf } from '../../local/errors.ts';
import { nameOf } from '../image/build.ts';
import { down } from './down.ts';
import { clusterUp, endpoints, quartetUp } from './up.ts';

const up = async (progress: Progress): Promise<void> => {
  const cluster = await clusterUp(progress);
  await quartetUp(cluster, progress);
  progress.done();
  console.log(`\nup after ${progress.seconds.toFixed(1)} s\n\n${endpoints(cluster)}`);
};

/** The cluster with the image in its nodes, and nothing installed. */
const clusterOnly = async (progress: Progress): Promise<void> => {
  const { image, kubeconfig } = await clusterUp(progress);
  progress.done();
  console.log(`\n${nameOf(image)} is in the nodes; export KUBECONFIG=${kubeconfig}`);
};

const commands: Readonly<Record<string, (progress: Progress) => Promise<void>>> = { up, cluster: clusterOnly, down };

const progress = new Progress();
try {
  const command = commands[process.argv[2] ?? ''];
  if (command === undefined) throw new Error(`say ${Object.keys(commands).join(', ')}`);
  await command(progress);
  progress.done();
} catch (error) {
  progress.failed();
  console.error(`error: ${reasonOf(error)}`);
  process.exitCode = 1;
}
