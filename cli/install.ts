import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '../local/kubelet/program.ts';
import type { Overview } from '../local/supervisor/control.ts';
import { runTool } from './program.ts';

/** Helm's values for this instance, as `--set` arguments. Pure. */
export const chartValues = (overview: Overview): string[] => {
  const values: Record<string, string> = {
    'image.repository': 'quartet',
    replicas: '1',
    // NATS runs beside the nodes, without passwords, on loopback.
    'nats.enabled': 'false',
    // A comma separates values on helm's command line.
    'nats.external.url': overview.natsUrl.replaceAll(',', String.raw`\,`),
    'nats.external.replicas': String(overview.natsServers),
    storageClass: 'quartet-local',
    'service.type': 'LoadBalancer',
    'chat.development': 'true',
    // Every client of a computer of one's own is trusted: it may say where it is, and purge.
    'router.trustedProxies[0]': '127.0.0.0/8',
  };
  overview.natsMonitors.forEach((monitor, i) => {
    values[`nats.external.monitors[${i}]`] = monitor;
  });
  return Object.entries(values).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
};

/** Installs the chart, or brings it to what this checkout has. @throws LocalError */
export const installChart = async (overview: Overview, stateDir: string): Promise<void> => {
  const args = ['upgrade', '--install', 'quartet', join(repository, 'charts', 'quartet')];
  const place = ['--namespace', 'quartet-system', '--create-namespace'];
  // Helm keeps caches; they belong to this instance, not to the user's home.
  const helm = join(stateDir, 'helm');
  await runTool('helm', [...args, ...place, ...chartValues(overview)], {
    KUBECONFIG: overview.kubeconfig,
    HELM_CACHE_HOME: join(helm, 'cache'),
    HELM_CONFIG_HOME: join(helm, 'config'),
    HELM_DATA_HOME: join(helm, 'data'),
  });
};

/** Applies `crds/samples`. @throws LocalError */
export const applySamples = async (overview: Overview): Promise<void> => {
  const folder = join(repository, 'crds', 'samples');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  const documents = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  const flags = ['apply', '--server-side', '--field-manager=quartet-samples', '-f', '-'];
  await runTool('kubectl', flags, { KUBECONFIG: overview.kubeconfig }, documents.join('\n---\n'));
};
