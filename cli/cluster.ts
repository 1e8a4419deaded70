import { LocalError } from '../local/errors.ts';
import type { CommandLine } from './arguments.ts';
import { runningInstance } from './connection.ts';
import { passToTool, runTool } from './program.ts';

/** A Kubernetes with Quartet on it: this computer's, or one that a kubeconfig names. All goes through kubectl. */
export interface Cluster {
  /** Runs kubectl and returns what it printed. @throws LocalError `start-failed` with its last line */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Runs kubectl in this terminal. @returns its exit code */
  pass(args: readonly string[]): Promise<number>;
  /** A page of an operator's admin server, as text. @throws LocalError */
  operatorPage(path: string): Promise<string>;
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly namespace: string };
    readonly status?: {
      readonly podIP?: string;
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    };
  }[];
}

const adminPort = 9090;
const pageDeadlineMs = 5000;

/** Works in the operator's own container: policies let nobody else in but who reads metrics. */
const askFromWithin = (path: string): string =>
  `fetch('http://' + process.env.QUARTET_POD_IP + ':${adminPort}${path}', { signal: AbortSignal.timeout(${pageDeadlineMs}) }).then((it) => it.text()).then(console.log)`;

const askDirectly = async (address: string, path: string): Promise<string> => {
  const url = `http://${address}:${adminPort}${path}`;
  try {
    return await (await fetch(url, { signal: AbortSignal.timeout(pageDeadlineMs) })).text();
  } catch (error) {
    throw new LocalError('request-failed', `${url} does not answer`, error);
  }
};

/** The cluster that a command line means. @throws LocalError `not-running` */
export const clusterOf = async (line: CommandLine): Promise<Cluster> => {
  const kubeconfig = line.kubeconfig ?? (await runningInstance(line.stateDir)).kubeconfig;
  const env = { KUBECONFIG: kubeconfig };
  const kubectl = (args: readonly string[], input = ''): Promise<string> => runTool('kubectl', args, env, input);
  return {
    kubectl,
    pass: (args) => passToTool('kubectl', args, env),
    async operatorPage(path) {
      const selector = 'app.kubernetes.io/name=quartet-operator';
      const list = JSON.parse(await kubectl(['get', 'pods', '-A', '-l', selector, '-o', 'json'])) as PodList;
      const ready = list.items.find(({ status }) =>
        status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
      );
      if (ready === undefined) throw new LocalError('request-failed', 'no operator pod is ready');
      const { name, namespace } = ready.metadata;
      // pods on this computer have loopback addresses, and no container to run something in
      if (line.kubeconfig === undefined) return askDirectly(ready.status?.podIP ?? '', path);
      return kubectl(['exec', '-n', namespace, name, '-c', 'operator', '--', 'node', '-e', askFromWithin(path)]);
    },
  };
};
