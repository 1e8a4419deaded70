import { eventually } from './eventually.ts';

/** Where a running Quartet answers. */
export interface Endpoints {
  readonly host: string;
  readonly edge: number;
  readonly search: number;
  readonly chat: number;
  readonly database: number;
}

/** A pod as kubectl shows it. */
export interface PodView {
  readonly name: string;
  readonly namespace: string;
  readonly node: string;
  readonly ready: boolean;
  readonly uid: string;
  /** When it was created, ms since the epoch. */
  readonly created: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly images: readonly string[];
  /** Ids of its running containers, without `containerd://`; empty in the embedded mode. */
  readonly containers: readonly string[];
}

/** As much of a Kubernetes object as the tests look at. */
export interface ObjectView {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly unschedulable?: boolean;
    readonly replicas?: number;
    readonly containers?: readonly { readonly image: string }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly observedGeneration?: number;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly containerStatuses?: readonly { readonly containerID?: string }[];
    readonly observedGeneration?: number;
    readonly primary?: string;
    readonly term?: number;
    readonly readyReplicas?: number;
    readonly members?: readonly { readonly pod: string; readonly node: string; readonly state: string }[];
  };
}

/** Runs kubectl with the arguments; resolves with what it printed, rejects with its error output. */
export type Kubectl = (...args: string[]) => Promise<string>;

const conditionOf = (object: ObjectView, type: string) =>
  object.status?.conditions?.find((condition) => condition.type === type);

/** Looks at a Quartet through kubectl alone: the same for every place where one runs. */
export class Resources {
  readonly kubectl: Kubectl;
  readonly endpoints: Endpoints;

  constructor(kubectl: Kubectl, endpoints: Endpoints) {
    this.kubectl = kubectl;
    this.endpoints = endpoints;
  }

  async list(kinds: string, ...flags: string[]): Promise<readonly ObjectView[]> {
    const text = await this.kubectl('get', kinds, '-o', 'json', ...flags);
    return (JSON.parse(text) as { items: readonly ObjectView[] }).items;
  }

  /** Pods that are not being deleted and did not end, of all namespaces. */
  async pods(prefix = ''): Promise<PodView[]> {
    const pods = await this.list('pods', '-A');
    return pods
      .filter((pod) => pod.metadata.deletionTimestamp === undefined && pod.metadata.name.startsWith(prefix))
      .filter((pod) => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed')
      .map((pod) => ({
        name: pod.metadata.name,
        namespace: pod.metadata.namespace,
        node: pod.spec.nodeName ?? '',
        uid: pod.metadata.uid,
        created: Date.parse(pod.metadata.creationTimestamp),
        ready: conditionOf(pod, 'Ready')?.status === 'True',
        labels: pod.metadata.labels ?? {},
        images: (pod.spec.containers ?? []).map(({ image }) => image),
        containers: (pod.status?.containerStatuses ?? []).map((it) => (it.containerID ?? '').replace(/^\w+:\/\//, '')),
      }));
  }

  /** The one pod of that name. */
  async pod(name: string): Promise<PodView> {
    const found = (await this.pods(name)).find((pod) => pod.name === name);
    if (!found) throw new Error(`no pod ${name}`);
    return found;
  }

  /** Status of one resource. */
  async status(kind: string, name: string): Promise<NonNullable<ObjectView['status']>> {
    const items = await this.list(kind);
    return items.find((item) => item.metadata.name === name)?.status ?? {};
  }

  /** Resources that are not Ready for their latest generation, or are being repaired, with the reason. */
  async notReady(): Promise<string[]> {
    const items = await this.list('edgenodes,searchshards,chatrooms,dbshards');
    return items.flatMap((item) => {
      const ready = conditionOf(item, 'Ready');
      const current = (ready?.observedGeneration ?? item.metadata.generation) === item.metadata.generation;
      return ready?.status === 'True' && current
        ? []
        : [`${item.kind}/${item.metadata.name}: ${ready?.message ?? 'no condition'}`];
    });
  }

  /** Waits until every resource and every pod is Ready. */
  async settled(timeoutMs = 90_000): Promise<void> {
    await eventually(async () => {
      const missing = await this.notReady();
      if (missing.length > 0) throw new Error(`not Ready: ${missing.join('; ')}`);
      const unready = (await this.pods()).filter((pod) => !pod.ready);
      if (unready.length > 0) throw new Error(`pods not ready: ${unready.map((pod) => pod.name).join(', ')}`);
    }, timeoutMs);
  }
}
