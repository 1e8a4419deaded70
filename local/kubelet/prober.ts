import { execFile } from 'node:child_process';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import type { Container, Probe } from '../api/objects.ts';
import { initialVerdict, observe, startupFailed, type Verdict } from './probe.ts';

/** Where and how to probe. */
export interface ProbeTarget {
  readonly address: string;
  readonly container: Container;
  /** For exec probes. */
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

const portOf = (port: number | string, container: Container): number =>
  typeof port === 'number'
    ? port
    : (container.ports?.find(({ name }) => name === port)?.containerPort ?? Number.parseInt(port, 10));

/** One connection per container is kept: 25 containers probed every second must not cost a core. */
const agent = new Agent({ keepAlive: true, maxSockets: 1, timeout: 30_000 });

const probeHttp = (target: ProbeTarget, http: NonNullable<Probe['httpGet']>, timeout: number): Promise<boolean> =>
  new Promise((resolve) => {
    const headers = Object.fromEntries((http.httpHeaders ?? []).map(({ name, value }) => [name, value]));
    const request = get(
      {
        host: target.address,
        port: portOf(http.port, target.container),
        path: http.path ?? '/',
        headers,
        agent,
        timeout,
      },
      (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        resolve(status >= 200 && status < 400);
      },
    );
    const timer = setTimeout(() => request.destroy(), timeout);
    request.on('close', () => clearTimeout(timer));
    request.on('error', () => resolve(false));
  });

const probeTcp = (target: ProbeTarget, port: number, timeout: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: target.address, port, timeout });
    const finish = (success: boolean): void => {
      socket.destroy();
      resolve(success);
    };
    socket.on('connect', () => finish(true));
    socket.on('timeout', () => finish(false));
    socket.on('error', () => finish(false));
  });

const probeExec = (target: ProbeTarget, command: readonly string[], timeout: number): Promise<boolean> =>
  new Promise((resolve) => {
    const [program = 'false', ...args] = command;
    execFile(program, args, { timeout, env: target.env, cwd: target.cwd }, (error) => resolve(error === null));
  });

/** Runs one probe. Never throws: what cannot be reached is a failure. */
export const probeOnce = (probe: Probe, target: ProbeTarget): Promise<boolean> => {
  const timeout = (probe.timeoutSeconds ?? 1) * 1000;
  if (probe.httpGet !== undefined) return probeHttp(target, probe.httpGet, timeout);
  if (probe.tcpSocket !== undefined) return probeTcp(target, portOf(probe.tcpSocket.port, target.container), timeout);
  if (probe.exec !== undefined) return probeExec(target, probe.exec.command, timeout);
  return Promise.resolve(true);
};

export interface ProberEvents {
  /** The container is ready, or is not any more. */
  readonly onReady: (ready: boolean) => void;
  /** The startup probe has succeeded (at once when there is none). */
  readonly onStarted: () => void;
  /** Liveness or startup failed: the container has to end. */
  readonly onDead: (probe: 'liveness' | 'startup') => void;
}

/** All probes of one run of a container. */
export class Prober {
  readonly #target: ProbeTarget;
  readonly #events: ProberEvents;
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(target: ProbeTarget, events: ProberEvents) {
    this.#target = target;
    this.#events = events;
  }

  start(): void {
    const { startupProbe } = this.#target.container;
    if (startupProbe === undefined) {
      this.#begin();
      return;
    }
    let failures = 0;
    this.#every(startupProbe, (success) => {
      if (success) {
        this.#begin();
        return false;
      }
      failures += 1;
      if (!startupFailed(failures, startupProbe)) return true;
      this.#events.onDead('startup');
      return false;
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #begin(): void {
    const { readinessProbe, livenessProbe } = this.#target.container;
    this.#events.onStarted();
    if (readinessProbe === undefined) this.#events.onReady(true);
    else this.#judge(readinessProbe, initialVerdict('readiness'), (healthy) => this.#events.onReady(healthy));
    if (livenessProbe === undefined) return;
    this.#judge(livenessProbe, initialVerdict('liveness'), (healthy) => {
      if (!healthy) this.#events.onDead('liveness');
    });
  }

  #judge(probe: Probe, first: Verdict, onChange: (healthy: boolean) => void): void {
    let verdict = first;
    this.#every(probe, (success) => {
      const before = verdict.healthy;
      verdict = observe(verdict, success, probe);
      if (verdict.healthy !== before) onChange(verdict.healthy);
      return true;
    });
  }

  /**
   * Probes until `take` returns false. Before the first success it looks more often than the period says (as long as that
   * is no failure that counts), so that a start is noticed when it happens.
   */
  #every(probe: Probe, take: (success: boolean) => boolean): void {
    const period = (probe.periodSeconds ?? 10) * 1000;
    const eager = Math.min(period, 200);
    let counted = performance.now() + (probe.initialDelaySeconds ?? 0) * 1000;
    let succeeded = false;
    const look = async (): Promise<void> => {
      const success = await probeOnce(probe, this.#target);
      if (this.#stopped) return;
      succeeded ||= success;
      const now = performance.now();
      const counts = success || now >= counted;
      if (counts) counted = now + period * 0.95;
      if (counts && !take(success)) return;
      this.#after(succeeded ? period : eager, look);
    };
    this.#after(eager, look);
  }

  #after(delayMs: number, look: () => Promise<void>): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void look();
    }, delayMs);
    this.#timers.add(timer);
  }
}
