import { eventually } from '../eventually.ts';
import type { PodView } from '../resources.ts';
import { shell } from './shell.ts';

/** What can go wrong with machines and processes. Nothing here needs the API server: it may be what is broken. */
const docker = (...args: string[]): Promise<string> => shell('docker', args);

/** Runs a program on a node: a node of kind is a container. */
export const onNode = (node: string, ...command: string[]): Promise<string> => docker('exec', node, ...command);

/** Asks containerd on a node, which needs no kubelet. */
export const containerd = (node: string, ...args: string[]): Promise<string> =>
  onNode(node, 'ctr', '-n', 'k8s.io', ...args);

/** `kill -9` of the first process of each container of a pod: no grace, no last words. */
export const killContainers = async ({ node, containers }: PodView): Promise<void> => {
  for (const id of containers) await containerd(node, 'tasks', 'kill', '--signal', 'SIGKILL', id);
};

/** Power cut of a machine. */
export const killNode = (node: string): Promise<string> => docker('kill', node);
/** Power back. */
export const startNode = (node: string): Promise<string> => docker('start', node);

/** Nothing comes to the machine and nothing leaves it any more, silently; what runs on it goes on running. */
export const cutNetwork = async (node: string): Promise<void> => {
  await onNode(node, 'iptables', '-t', 'raw', '-I', 'PREROUTING', '-i', 'eth0', '-j', 'DROP');
  await onNode(node, 'iptables', '-t', 'mangle', '-I', 'POSTROUTING', '-o', 'eth0', '-j', 'DROP');
};
/** Undoes `cutNetwork`; does nothing when the network is whole. */
export const mendNetwork = async (node: string): Promise<void> => {
  const drop = async (...rule: string[]) => {
    const present = await onNode(node, 'iptables', '-t', rule[0] ?? '', '-C', ...rule.slice(1)).then(
      () => true,
      () => false,
    );
    if (present) await onNode(node, 'iptables', '-t', rule[0] ?? '', '-D', ...rule.slice(1));
  };
  await drop('mangle', 'POSTROUTING', '-o', 'eth0', '-j', 'DROP');
  await drop('raw', 'PREROUTING', '-i', 'eth0', '-j', 'DROP');
};

const manifest = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const aside = '/etc/kubernetes/kube-apiserver.yaml';

const apiServerRuns = async (controlPlane: string): Promise<boolean> => {
  const processes = await onNode(controlPlane, 'ps', '-e', '-o', 'args');
  return /^\S*kube-apiserver /m.test(processes);
};

/** Takes the API server's static pod away and waits until its process is gone. */
export const stopApiServer = async (controlPlane: string): Promise<void> => {
  await onNode(controlPlane, 'mv', manifest, aside);
  await eventually(async () => {
    if (await apiServerRuns(controlPlane)) throw new Error('the API server still runs');
  }, 60_000);
};
/** Puts it back; does nothing when it is there. */
export const startApiServer = (controlPlane: string): Promise<string> =>
  onNode(controlPlane, 'sh', '-c', `test ! -f ${aside} || mv ${aside} ${manifest}`);
