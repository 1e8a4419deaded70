import { isAbsolute, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { durationMs } from '../crds/duration.ts';
import { LocalError, reasonOf } from '../local/errors.ts';
import { repository } from '../local/kubelet/program.ts';

/** What the command line says. */
export interface CommandLine {
  readonly command: string;
  /** Words after the command. */
  readonly words: readonly string[];
  readonly stateDir: string;
  readonly isDefaultState: boolean;
  readonly nodes: number | undefined;
  readonly nats: 1 | 3 | undefined;
  readonly address: string | undefined;
  readonly samples: boolean;
  readonly follow: boolean;
  readonly tail: number | undefined;
  /** A cluster's kubeconfig; undefined: the instance in the state directory is meant. */
  readonly kubeconfig: string | undefined;
  readonly namespace: string;
  /** Key at which a shard is split. */
  readonly at: string | undefined;
  /** Name of what is made. */
  readonly name: string | undefined;
  /** Shard that another one is merged into. */
  readonly into: string | undefined;
  /** Node that a replica moves to. */
  readonly to: string | undefined;
  /** Take back what was asked for. */
  readonly cancel: boolean;
  /** Leave what is no longer needed. */
  readonly keep: boolean;
  readonly timeoutMs: number | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const options = {
  state: { type: 'string' },
  nodes: { type: 'string' },
  nats: { type: 'string' },
  address: { type: 'string' },
  samples: { type: 'boolean', default: true },
  follow: { type: 'boolean', short: 'f', default: false },
  tail: { type: 'string' },
  kubeconfig: { type: 'string' },
  namespace: { type: 'string', short: 'n', default: 'default' },
  at: { type: 'string' },
  name: { type: 'string' },
  into: { type: 'string' },
  to: { type: 'string' },
  cancel: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  timeout: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const whole = (name: string, text: string | undefined, most: number): number | undefined => {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new LocalError('invalid', `--${name} ${text}: must be a whole number from 1 to ${most}`);
};

const natsCount = (text: string | undefined): 1 | 3 | undefined => {
  if (text === undefined || text === '') return undefined;
  if (text === '1') return 1;
  if (text === '3') return 3;
  throw new LocalError('invalid', `--nats ${text}: must be 1 or 3`);
};

const loopback = (text: string | undefined): string | undefined => {
  if (text === undefined || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(text)) return text;
  throw new LocalError('invalid', `--address ${text}: must be a loopback address, such as 127.0.0.2`);
};

const given = (name: string, text: string | undefined): string | undefined => {
  if (text === '') throw new LocalError('invalid', `--${name} is empty: leave it out, or say which`);
  return text;
};

const timeout = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  try {
    return durationMs(text);
  } catch (error) {
    throw new LocalError('invalid', `--timeout ${text}: must be a duration, such as 90s or 10m`, error);
  }
};

const stateOf = (given: string | undefined): { stateDir: string; isDefaultState: boolean } => {
  const usual = join(repository, '.quartet');
  if (given === undefined || given === '') return { stateDir: usual, isDefaultState: true };
  const stateDir = isAbsolute(given) ? given : resolve(given);
  return { stateDir, isDefaultState: stateDir === usual };
};

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, allowNegative: true });
  } catch (error) {
    throw new LocalError('invalid', `${reasonOf(error).split('. ')[0]}: \`./quartet help\` lists what there is`, error);
  }
};

/** Programs whose own arguments are passed on unread. */
const passedOn: ReadonlySet<string> = new Set(['kubectl', 'backup', 'restore']);

/** Where the arguments of such a program begin. */
const split = (args: readonly string[]): { own: readonly string[]; rest: readonly string[] } => {
  const at = args.findIndex((word, i) => passedOn.has(word) && args[i - 1] !== '--state');
  const before = args.slice(0, Math.max(at, 0));
  const isCommand = at >= 0 && before.every((word, i) => word.startsWith('--') || before[i - 1] === '--state');
  return isCommand ? { own: args.slice(0, at + 1), rest: args.slice(at + 1) } : { own: args, rest: [] };
};

/** Reads the command line; QUARTET_STATE and NATS stand in for `--state` and `--nats`. @throws LocalError `invalid` */
export const readCommandLine = (args: readonly string[], env: Environment): CommandLine => {
  const { own, rest } = split(args);
  const { values, positionals } = parse(own);
  const [command = 'help', ...words] = positionals;
  return {
    command: values.help ? 'help' : command,
    words: values.help ? positionals : [...words, ...rest],
    ...stateOf(values.state ?? env['QUARTET_STATE']),
    nodes: whole('nodes', values.nodes, 26),
    nats: natsCount(values.nats ?? env['NATS']),
    address: loopback(values.address),
    samples: values.samples,
    follow: values.follow,
    tail: whole('tail', values.tail, 1_000_000),
    kubeconfig: given('kubeconfig', values.kubeconfig),
    namespace: values.namespace,
    at: given('at', values.at),
    name: given('name', values.name),
    into: given('into', values.into),
    to: given('to', values.to),
    cancel: values.cancel,
    keep: values.keep,
    timeoutMs: timeout(values.timeout),
  };
};
