import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { ApiError, type ApiClient } from '../api/client.ts';
import { keyOf, type Container, type Pod } from '../api/objects.ts';
import { reasonOf } from '../errors.ts';
import { nextDelay } from '../processes/back-off.ts';
import { ContainerRunner } from './container-runner.ts';
import { preparePod, PrepareProblem, type PreparedPod } from './prepare.ts';
import { phaseOf, podStatus, readyCondition, type ContainerReport, type PodReport } from './status.ts';
import type { StartGate } from './start-gate.ts';
import { StatusWriter } from './status-writer.ts';

export interface WorkerDeps {
  readonly client: ApiClient;
  readonly log: Logger;
  /** The instance's state directory. */
  readonly stateDir: string;
  readonly certificate: string;
  readonly hostIP: string;
  readonly address: string;
  readonly gate: StartGate;
  readonly recordEvent: (pod: Pod, reason: string, message: string) => void;
  /** Readiness may have changed: endpoints have to be looked at again. */
  readonly onChange: () => void;
}

const defaultGraceSeconds = 30;

/** Directory of a pod's log files, one per container. */
export const logDirectory = (stateDir: string, pod: Pod): string =>
  join(stateDir, 'logs', 'pods', `${pod.metadata.namespace}_${pod.metadata.name}_${pod.metadata.uid.slice(0, 8)}`);

/** Runs one pod on one node, from its binding to its end. */
export class PodWorker {
  readonly #deps: WorkerDeps;
  readonly #log: Logger;
  readonly #runners = new Map<string, ContainerRunner>();
  readonly #inits = new Map<string, ContainerRunner>();
  readonly #status: StatusWriter;
  readonly #startTime: string;
  #pod: Pod;
  #prepared: PreparedPod | undefined;
  #initialized = false;
  #problem: { readonly reason: string; readonly message: string } = { reason: 'ContainerCreating', message: '' };
  #leaveGate: () => void = () => undefined;
  #phase: 'live' | 'ending' | 'dead' = 'live';

  constructor(pod: Pod, deps: WorkerDeps) {
    this.#pod = pod;
    this.#deps = deps;
    this.#log = deps.log.child({ pod: keyOf(pod) });
    this.#startTime = pod.status?.startTime ?? new Date().toISOString();
    this.#status = new StatusWriter({ client: deps.client, log: this.#log, object: () => this.#pod });
  }

  get pod(): Pod {
    return this.#pod;
  }
  get address(): string {
    return this.#deps.address;
  }
  /** Whether requests may be sent to it: every container is ready and it is not about to end. */
  get ready(): boolean {
    return this.#phase === 'live' && this.#initialized && this.#reports().every((report) => report.ready);
  }
  /** Whether it has done what it was for: nothing of it runs or will run again. */
  get ended(): boolean {
    const phase = phaseOf(this.#report(), this.#pod.spec.restartPolicy ?? 'Always');
    return phase === 'Succeeded' || phase === 'Failed';
  }
  /** Of all its containers. */
  get restarts(): number {
    return this.#reports().reduce((total, report) => total + report.restarts, 0);
  }
  /** Of its running processes. */
  pids(): number[] {
    return [...this.#inits.values(), ...this.#runners.values()].map((runner) => runner.pid).filter((pid) => pid !== 0);
  }

  /** A newer version of the object (labels and status may differ; what runs is immutable). */
  update(pod: Pod): void {
    this.#pod = pod;
    // The node lifecycle controller marks the pods of a silent node not ready; only the kubelet takes that back.
    if (this.#status.overruled(readyCondition(pod)?.status)) this.#publish();
  }

  async start(): Promise<void> {
    this.#publish();
    let delay: number | undefined;
    while (this.#phase === 'live' && this.#prepared === undefined) {
      try {
        this.#prepared = await preparePod(this.#pod, this.#deps);
      } catch (error) {
        this.#explain(error);
        delay = Math.max(200, nextDelay(delay, 0));
        await new Promise((resolve) => setTimeout(resolve, delay));
      }
    }
    if (this.#phase !== 'live' || this.#prepared === undefined) {
      this.#prepared?.stop();
      return;
    }
    this.#leaveGate = await this.#deps.gate.enter();
    if (await this.#initialize(this.#prepared)) this.#startContainers(this.#prepared);
    else this.#leaveGate();
  }

  #startContainers(prepared: PreparedPod): void {
    for (const container of this.#pod.spec.containers) {
      const runner = this.#runner(container, prepared, this.#pod.spec.restartPolicy ?? 'Always');
      this.#runners.set(container.name, runner);
      runner.start();
    }
  }

  /** Init containers, one after the other. False when the pod must not go on. */
  async #initialize(prepared: PreparedPod): Promise<boolean> {
    for (const container of this.#pod.spec.initContainers ?? []) {
      const policy = this.#pod.spec.restartPolicy === 'Never' ? 'Never' : 'OnFailure';
      const runner = this.#runner(container, prepared, policy);
      this.#inits.set(container.name, runner);
      if (this.#phase !== 'live') return false;
      runner.start();
      if ((await runner.finished) !== 0) return false;
    }
    this.#initialized = this.#phase === 'live';
    return this.#initialized;
  }

  #runner(
    container: Container,
    prepared: PreparedPod,
    restartPolicy: 'Always' | 'OnFailure' | 'Never',
  ): ContainerRunner {
    const before = this.#pod.status?.containerStatuses?.find(({ name }) => name === container.name);
    const { program, env, terminationLog } = prepared.launch(container);
    return new ContainerRunner({
      container,
      program,
      env,
      terminationLog,
      restartPolicy,
      address: this.#deps.address,
      log: join(logDirectory(this.#deps.stateDir, this.#pod), `${container.name}.log`),
      // It ran in an earlier life of this kubelet: this is another start of it.
      restarts: before === undefined || this.#pod.status?.phase !== 'Running' ? 0 : before.restartCount + 1,
      graceMs: this.#graceSeconds() * 1000,
      onChange: () => this.#publish(),
      onEvent: (reason, message) => this.#deps.recordEvent(this.#pod, reason, message),
    });
  }

  #graceSeconds(): number {
    const { metadata, spec } = this.#pod;
    return metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? defaultGraceSeconds;
  }

  #explain(error: unknown): void {
    const reason = error instanceof PrepareProblem ? error.reason : 'ContainerCreating';
    const message = reasonOf(error);
    if (this.#problem.message !== message) {
      this.#log.warn({ reason, message }, 'the pod cannot start yet');
      if (error instanceof PrepareProblem) this.#deps.recordEvent(this.#pod, reason, message);
    }
    this.#problem = { reason, message };
    this.#publish();
  }

  /** SIGKILL to every container, as a crash: the restart policy decides what follows. */
  crash(): void {
    for (const runner of this.#runners.values()) runner.crash();
  }

  /** The API wants it gone: end its processes, then let the object go. */
  async terminate(): Promise<void> {
    if (this.#phase !== 'live') return;
    this.#phase = 'ending';
    this.#deps.onChange();
    const graceMs = this.#graceSeconds() * 1000;
    await this.#stopProcesses((runner) => runner.end(graceMs));
    await this.#forget();
    await this.#release();
  }

  /** Its node dies, or everything goes down: its processes end, the object stays as it is. */
  async abandon(graceMs: number): Promise<void> {
    this.#phase = 'dead';
    this.#deps.onChange();
    this.#status.stop();
    this.#prepared?.stop();
    await this.#stopProcesses((runner) => runner.stop(graceMs));
  }

  async #stopProcesses(stop: (runner: ContainerRunner) => Promise<void>): Promise<void> {
    this.#leaveGate();
    const all = [...this.#inits.values(), ...this.#runners.values()];
    await Promise.all(all.map(stop));
    this.#prepared?.stop();
  }

  /** Deletes the object for good, however long the API server is away. */
  async #release(): Promise<void> {
    const { namespace, name, uid } = this.#pod.metadata;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid } };
    let delay: number | undefined;
    for (;;) {
      try {
        await this.#deps.client.delete(`/api/v1/namespaces/${namespace}/pods/${name}`, body);
        return;
      } catch (error) {
        // Another pod of that name: ours is gone.
        if (error instanceof ApiError && error.status === 409) return;
        delay = Math.max(200, nextDelay(delay, 0));
        await new Promise((resolve) => setTimeout(resolve, delay));
      }
    }
  }

  async #forget(): Promise<void> {
    this.#status.stop();
    await rm(join(this.#deps.stateDir, 'pods', this.#pod.metadata.uid), { recursive: true, force: true });
  }

  #reports(): ContainerReport[] {
    return this.#pod.spec.containers.map(
      (container) => this.#runners.get(container.name)?.report() ?? this.#waiting(container),
    );
  }

  #waiting({ name, image }: Container): ContainerReport {
    const state = { type: 'waiting', ...this.#problem } as const;
    return { name, image, state, last: undefined, ready: false, started: false, restarts: 0 };
  }

  #report(): PodReport {
    return {
      containers: this.#reports(),
      inits: (this.#pod.spec.initContainers ?? []).map((c) => this.#inits.get(c.name)?.report() ?? this.#waiting(c)),
      initialized: this.#initialized,
      podIP: this.#deps.address,
      hostIP: this.#deps.hostIP,
      startTime: this.#startTime,
    };
  }

  #publish(): void {
    const report = this.#report();
    if (this.ready) this.#leaveGate();
    this.#status.write((pod) => podStatus(pod, report, new Date().toISOString()));
    this.#deps.onChange();
  }
}
