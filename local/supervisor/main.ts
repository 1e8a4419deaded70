import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { reasonOf } from '../errors.ts';
import { logDirectory } from '../kubelet/pod-worker.ts';
import { serveControl, type Commands, type Overview } from './control.ts';
import { reportOf } from './report.ts';
import { settleInstance, socketPath, type Instance } from './state.ts';
import { Supervisor } from './supervisor.ts';

/** File in the state directory with the reason of the last failed start, for `up` to show. */
export const failureFile = 'failure.txt';

const log = pino({ name: 'supervisor', level: process.env['QUARTET_LOG_LEVEL'] ?? 'info' });

const readArguments = () => {
  const { values } = parseArgs({
    options: {
      state: { type: 'string' },
      nodes: { type: 'string' },
      nats: { type: 'string' },
      address: { type: 'string' },
      default: { type: 'boolean', default: false },
    },
  });
  return {
    stateDir: values.state ?? '.quartet',
    request: {
      nodes: values.nodes === undefined ? undefined : Number(values.nodes),
      natsServers: values.nats === undefined ? undefined : values.nats === '3' ? (3 as const) : (1 as const),
      publicHost: values.address,
      isDefault: values.default,
    },
  };
};

/** The running program: an instance, its control socket, its end. */
class Program {
  readonly #stateDir: string;
  readonly #instance: Instance;
  readonly #supervisor: Supervisor;
  #state: Overview['state'] = 'starting';
  #step = '';
  #stopped: Promise<void> | undefined;

  constructor(stateDir: string, instance: Instance) {
    this.#stateDir = stateDir;
    this.#instance = instance;
    this.#supervisor = new Supervisor({
      stateDir,
      instance,
      log,
      onStep: (step) => {
        this.#step = step;
        log.info({ step }, 'starting');
      },
    });
  }

  commands(): Commands {
    const supervisor = this.#supervisor;
    return {
      overview: () => this.#overview(),
      report: () => reportOf(supervisor),
      killNode: (name) => supervisor.killNode(name),
      reviveNode: (name) => supervisor.reviveNode(name),
      killPod: async (name) => {
        const worker = supervisor.kubelet.find(name);
        worker.crash();
        return { pod: worker.pod.metadata.name };
      },
      logs: async (name) => ({ directory: logDirectory(this.#stateDir, supervisor.kubelet.find(name).pod) }),
      stop: () => this.stop(),
    };
  }

  #overview(): Overview {
    const { ports, publicHost, natsServers } = this.#instance;
    return {
      pid: process.pid,
      state: this.#state,
      step: this.#step,
      kubeconfig: join(this.#stateDir, 'control-plane', 'admin.kubeconfig'),
      natsUrl: ports.nats.map((port) => `nats://127.0.0.1:${port}`).join(','),
      natsServers,
      natsMonitors: this.#supervisor.natsMonitors,
      publicHost,
    };
  }

  async start(): Promise<void> {
    await this.#supervisor.start();
    if (this.#state === 'starting') this.#state = 'running';
  }

  /** Ends everything, then this process. */
  stop(): Promise<void> {
    this.#state = 'stopping';
    this.#stopped ??= this.#supervisor.stop().finally(() => {
      rmSync(socketPath(this.#stateDir), { force: true });
      // The answer to whoever asked goes out first.
      setTimeout(() => process.exit(0), 50);
    });
    return this.#stopped;
  }
}

const main = async (): Promise<void> => {
  const { stateDir, request } = readArguments();
  try {
    const program = new Program(stateDir, await settleInstance(stateDir, request));
    await serveControl(socketPath(stateDir), program.commands());
    process.on('SIGTERM', () => void program.stop());
    process.on('SIGINT', () => void program.stop());
    process.on('SIGHUP', () => undefined);
    await program.start();
  } catch (error) {
    log.error({ err: error }, 'start failed');
    writeFileSync(join(stateDir, failureFile), reasonOf(error));
    rmSync(socketPath(stateDir), { force: true });
    process.exit(1);
  }
};

await main();
