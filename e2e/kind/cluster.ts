import { clusterName } from '../../hack/kind/config.ts';
import {
  applyHostServices,
  applySamples,
  installCharts,
  kubectl as kubectlWith,
  release,
} from '../../hack/kind/install.ts';
import { workloadsMissing } from '../../hack/kind/wait.ts';
import { nameOf } from '../../hack/image/build.ts';
import { eventually } from '../eventually.ts';
import { Resources, type ObjectView, type PodView } from '../resources.ts';
import { containerd, mendNetwork, startApiServer, startNode } from './faults.ts';
import type { Place } from './place.ts';
import { portForward } from './port-forward.ts';
import { shell } from './shell.ts';
import { Story } from './story.ts';

const kinds = 'edgenodes,searchshards,chatrooms,dbshards';
/** The definitions of the four kinds; no policy lets helm delete them. */
export const definitions = kinds.split(',').map((kind) => `${kind}.quartet.dev`);

/** Quartet on the kind cluster: how it is installed, looked at, and put right. */
export class KindCluster extends Resources {
  readonly namespace = release.namespace;
  readonly controlPlane = `${clusterName}-control-plane`;
  /** The image of this checkout. */
  readonly image: string;
  readonly #place: Place;
  #installed = false;

  constructor(place: Place) {
    const env = { KUBECONFIG: place.kubeconfig };
    super((...args) => shell(place.tools.kubectl, args, { env, timeoutMs: 120_000 }), place.endpoints);
    this.#place = place;
    this.image = nameOf(place.image);
  }

  async #helm(...args: string[]): Promise<void> {
    const env = { KUBECONFIG: this.#place.kubeconfig };
    await shell(this.#place.tools.helm, [...args, '-n', release.namespace], { env, timeoutMs: 300_000 });
  }

  /** Begins to follow what kubectl shows of a resource, such as `dbshard/app-a`. */
  story(resource: string): Story {
    return new Story({ program: this.#place.tools.kubectl, kubeconfig: this.#place.kubeconfig }, resource);
  }

  /** `helm test`: rejects when a test of the chart fails; its pod stays for the artifacts. */
  helmTest(): Promise<void> {
    return this.#helm('test', release.name, '--timeout', '100s');
  }

  /** Applies one manifest; rejects with what kubectl printed. */
  async apply(manifest: object): Promise<void> {
    await kubectlWith(this.#place.tools, ['apply', '--server-side', '-f', '-'], JSON.stringify(manifest));
  }

  /** Installs or upgrades the charts, with the image of the given tag; resolves when operator and NATS are ready. */
  async install(tag = this.#place.image.tag): Promise<void> {
    const { tools, image } = this.#place;
    await installCharts(tools, { ...image, tag });
    await eventually(async () => {
      const missing = await workloadsMissing(tools, release.namespace);
      if (missing !== '') throw new Error(missing);
    }, 240_000);
  }

  async applySamples(): Promise<void> {
    await applySamples(this.#place.tools, this.#place.image);
    await applyHostServices(this.#place.tools);
    this.#installed = true;
  }

  /** Whether chart and samples were installed by this process. */
  get isInstalled(): boolean {
    return this.#installed;
  }

  /** Installs the chart and the samples unless that was done; a test that runs alone needs it. */
  async ensureInstalled(): Promise<void> {
    if (this.#installed) return;
    await this.install();
    await this.applySamples();
    await this.settled(240_000);
  }

  /** Deletes all resources of the four kinds; rejects when their finalizers do not end. */
  async deleteResources(): Promise<void> {
    await this.kubectl('delete', kinds, '--all', '-A', '--timeout=90s');
  }

  /** Deletes what the samples have besides: the site that is cached, and the fixed ports. */
  async deleteSite(): Promise<void> {
    const labels = 'app.kubernetes.io/part-of in (quartet-samples,quartet-kind)';
    await this.kubectl('delete', 'deployments,services', '-A', '-l', labels, '--timeout=60s');
  }

  async uninstall(): Promise<void> {
    for (const name of [release.name, `${release.name}-crds`]) {
      await this.#helm('uninstall', name, '--ignore-not-found', '--wait', '--timeout', '120s');
    }
    this.#installed = false;
  }

  /** Takes away all that is installed, with its volumes and what is kept by policy. */
  async remove(): Promise<void> {
    const present = await this.list('customresourcedefinitions');
    if (present.some(({ metadata }) => metadata.name === 'dbshards.quartet.dev')) {
      await this.deleteResources().catch(() => this.#dropFinalizers());
    }
    await this.deleteSite();
    await this.uninstall();
    await this.kubectl('delete', 'persistentvolumeclaims', '--all', '-A', '--timeout=60s');
    await this.kubectl('delete', 'customresourcedefinitions', ...definitions, '--ignore-not-found', '--timeout=60s');
    await eventually(async () => {
      for (const { kind, metadata } of await this.#ours()) {
        await this.kubectl('delete', kind, metadata.name, '-n', metadata.namespace, '--ignore-not-found');
      }
      if ((await this.#ours()).length > 0) throw new Error(`still there: ${(await this.leftovers()).join(', ')}`);
    }, 90_000);
  }

  /** Without an operator nobody else does. */
  async #dropFinalizers(): Promise<void> {
    for (const { kind, metadata } of await this.list(kinds, '-A')) {
      const none = JSON.stringify({ metadata: { finalizers: null } });
      await this.kubectl('patch', kind, metadata.name, '-n', metadata.namespace, '--type=merge', '-p', none);
    }
  }

  async #ours(): Promise<readonly ObjectView[]> {
    const objects = await this.list(
      'pods,deployments,replicasets,statefulsets,services,configmaps,secrets,jobs,serviceaccounts,roles,rolebindings,' +
        'networkpolicies,poddisruptionbudgets,leases,clusterroles,clusterrolebindings',
      '-A',
    );
    return objects
      .filter(({ metadata }) => !(metadata.namespace ?? '').startsWith('kube-'))
      .filter(({ metadata: { labels = {}, name } }) => /quartet/.test(`${JSON.stringify(labels)} ${name}`));
  }

  /** Objects that Quartet made or that Helm installed and that are not kept by policy, as `kind/namespace/name`. */
  async leftovers(): Promise<string[]> {
    const ours = await this.#ours();
    return ours.map(({ kind, metadata }) => `${kind}/${metadata.namespace ?? ''}/${metadata.name}`);
  }

  /** Names of the machines: the containers that kind runs. */
  async containers(): Promise<string[]> {
    const label = `label=io.x-k8s.kind.cluster=${clusterName}`;
    return (await shell('docker', ['ps', '-a', '--filter', label, '--format', '{{.Names}}'])).trim().split('\n');
  }

  async #workers(): Promise<string[]> {
    return (await this.containers()).filter((name) => name !== this.controlPlane).toSorted();
  }

  /** Workers that take pods: the first three until the spare ones are opened. */
  async openWorkers(): Promise<string[]> {
    const nodes = await this.list('nodes');
    const open = nodes.filter(({ spec }) => spec.unschedulable !== true).map(({ metadata }) => metadata.name);
    return (await this.#workers()).filter((name) => open.includes(name));
  }

  /** Keeps all but three workers free, so that losing one leaves no place to rebuild on. */
  async closeSpareWorkers(): Promise<void> {
    for (const name of (await this.#workers()).slice(3)) await this.kubectl('cordon', name);
  }

  /** Lets pods on all workers; there must be five. */
  async openSpareWorkers(): Promise<void> {
    const workers = await this.#workers();
    if (workers.length < 5) {
      throw new Error(`this needs 5 workers and the cluster has ${workers.length}: make kind-down, then make e2e`);
    }
    for (const name of workers) await this.kubectl('uncordon', name);
  }

  /**
   * Waits until every resource and every pod is Ready, and each NATS server holds all that its streams have: a pod of a machine
   * that came back still counts as ready for a while, and the next machine lost would cost the log its majority.
   */
  override async settled(timeoutMs = 90_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    await super.settled(timeoutMs);
    const servers = await this.pods('quartet-nats-');
    const isCurrent = async (server: PodView): Promise<void> => {
      await portForward(this.#place, server, 8222, async (url) => {
        const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5_000) });
        if (!answer.ok) throw new Error(`${server.name} is not current: ${await answer.text()}`);
      });
    };
    for (const server of servers) await eventually(() => isCurrent(server), deadline - Date.now(), 500);
  }

  drain(node: string): Promise<string> {
    const flags = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=110s'];
    return this.kubectl('drain', node, ...flags);
  }

  /** Waits until the Ready condition of a node has this status. */
  async nodeIs(name: string, status: 'True' | 'Unknown', timeoutMs: number): Promise<void> {
    await eventually(async () => {
      const conditions = (await this.status('nodes', name)).conditions ?? [];
      const now = conditions.find(({ type }) => type === 'Ready')?.status;
      if (now !== status) throw new Error(`node ${name}: Ready is ${now}, not ${status}`);
    }, timeoutMs);
  }

  /** Undoes every fault that a failed test may have left. */
  async mendEverything(): Promise<void> {
    for (const name of await this.containers()) await startNode(name);
    await startApiServer(this.controlPlane);
    for (const name of await this.#workers()) await mendNetwork(name);
    await eventually(() => this.kubectl('get', '--raw', '/readyz'), 120_000, 1_000);
    for (const name of (await this.#workers()).slice(0, 3)) {
      await this.nodeIs(name, 'True', 60_000);
      await this.kubectl('uncordon', name);
    }
    if (this.#installed) await this.applySamples();
  }

  /** Whether the operator made the pod: a replica, a gateway or an edge. */
  isDataPlane({ labels }: PodView): boolean {
    return labels['app.kubernetes.io/managed-by'] === 'quartet-operator';
  }

  async #lease(): Promise<{ holderIdentity: string; renewTime: string }> {
    const text = await this.kubectl('get', 'lease', 'quartet-operator', '-n', this.namespace, '-o', 'json');
    return (JSON.parse(text) as { spec: { holderIdentity: string; renewTime: string } }).spec;
  }

  /** The pod that leads among the operators. */
  async operatorLeader(): Promise<string> {
    const { holderIdentity } = await this.#lease();
    const pods = await this.pods('quartet-operator');
    const leader = pods.find(({ name }) => holderIdentity.startsWith(name));
    if (!leader) throw new Error(`the lease is held by ${holderIdentity}, which is no pod`);
    return leader.name;
  }

  /** When the lease of the operators was renewed last, ms since the epoch. */
  async leaseRenewedAt(): Promise<number> {
    return Date.parse((await this.#lease()).renewTime);
  }

  /** Gives the image one more tag on every machine; returns the new name. */
  async tagImage(tag: string): Promise<string> {
    const name = nameOf({ ...this.#place.image, tag });
    const of = (image: string) => `docker.io/library/${image}`;
    for (const node of await this.containers()) {
      await containerd(node, 'images', 'tag', '--force', of(this.image), of(name));
    }
    return name;
  }

  /** The Service of NATS, as pods reach it. */
  readonly natsService = { host: `quartet-nats.${release.namespace}`, port: 4222 };

  /** What the NATS servers say about streams, as text; asked inside of one's own container. */
  async streamsReport(): Promise<string> {
    const [server] = (await this.pods('quartet-nats-')).filter((pod) => pod.ready);
    if (!server) throw new Error('no NATS server is ready');
    return portForward(this.#place, server, 8222, async (url) => {
      const response = await fetch(`${url}/jsz?accounts=true&streams=true`, { signal: AbortSignal.timeout(10_000) });
      return response.text();
    });
  }

  /** Names of all streams. */
  async streams(): Promise<string[]> {
    const report = JSON.parse(await this.streamsReport()) as {
      account_details?: { stream_detail?: { name: string }[] }[];
    };
    return (report.account_details ?? []).flatMap((account) => (account.stream_detail ?? []).map(({ name }) => name));
  }
}
