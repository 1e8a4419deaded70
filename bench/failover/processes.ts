import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** The process that runs a pod of the Quartet with that state directory. @throws when there is none */
export const processOf = (stateDir: string, pod: string): number => {
  for (const path of globSync('/proc/[0-9]*')) {
    const environment = read(join(path, 'environ')).split('\0');
    const program = read(join(path, 'cmdline'));
    const isPod = environment.includes(`QUARTET_POD=${pod}`) && program.includes('dataplane/main.ts');
    if (isPod && environment.some((variable) => variable.includes(stateDir))) return Number(path.slice(6));
  }
  throw new Error(`no process runs ${pod}`);
};

/** A nats-server of the Quartet, and where it answers questions. */
export interface NatsProcess {
  readonly pid: number;
  readonly name: string;
  readonly monitor: string;
}

/** The nats-servers of the Quartet with that state directory. */
export const natsProcesses = (stateDir: string): NatsProcess[] =>
  globSync('/proc/[0-9]*').flatMap((path) => {
    const words = read(join(path, 'cmdline')).split('\0');
    const config = words.find((word) => word.endsWith('nats.conf') && word.includes(stateDir));
    if (config === undefined || !words[0]?.endsWith('nats-server')) return [];
    const text = read(config);
    const monitor = /^http: "(.*)"$/m.exec(text)?.[1] ?? '';
    return [{ pid: Number(path.slice(6)), name: /^server_name: (.*)$/m.exec(text)?.[1] ?? '', monitor }];
  });

interface Jsz {
  readonly account_details?: readonly {
    readonly stream_detail?: readonly { readonly name: string; readonly cluster?: { readonly leader?: string } }[];
  }[];
}

/** The nats-server that leads a stream, as the servers themselves say. */
export const leaderOf = async (stateDir: string, stream: string): Promise<NatsProcess> => {
  const servers = natsProcesses(stateDir);
  for (const { monitor } of servers) {
    const answer = (await (await fetch(`http://${monitor}/jsz?accounts=true&streams=true`)).json()) as Jsz;
    const found = (answer.account_details ?? [])
      .flatMap(({ stream_detail = [] }) => stream_detail)
      .find(({ name }) => name === stream)?.cluster?.leader;
    const leader = servers.find(({ name }) => name === found);
    if (leader !== undefined) return leader;
  }
  throw new Error(`nobody leads ${stream}`);
};

const classId = '0x51750001';
const rule = ['OUTPUT', '-m', 'cgroup', '--cgroup', classId, '-j', 'DROP'];

/**
 * Drops every packet that a process sends, without a word to either side: its machine's cable is out. Needs root,
 * iptables and the net_cls controller. Answers what mends it.
 */
export const cutOff = (pid: number): (() => void) => {
  const root = '/run/quartet-bench-net-cls';
  const group = join(root, 'cut');
  mkdirSync(root, { recursive: true });
  if (!existsSync(join(root, 'cgroup.procs')))
    execFileSync('mount', ['-t', 'cgroup', '-o', 'net_cls', 'net_cls', root]);
  mkdirSync(group, { recursive: true });
  writeFileSync(join(group, 'net_cls.classid'), classId);
  writeFileSync(join(group, 'cgroup.procs'), String(pid));
  execFileSync('iptables', ['-w', '-I', ...rule]);
  return () => {
    execFileSync('iptables', ['-w', '-D', ...rule]);
    if (existsSync(`/proc/${pid}`)) writeFileSync(join(root, 'cgroup.procs'), String(pid));
    execFileSync('umount', ['-l', root]);
  };
};
