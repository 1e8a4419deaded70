import { Counter, Gauge } from 'prom-client';
import type { Pod } from '../../fabric/pod.ts';
import { straysNote } from '../store/key-range.ts';
import type { Store } from '../store/store.ts';
import type { Phase } from './worker.ts';

const phases: readonly Phase[] = ['none', 'waiting', 'snapshot', 'log', 'open'];

/** Figures of splits at /metrics, and what counts for them. */
export class SplitMetrics {
  readonly #bytes: Counter;
  readonly #seconds: Counter;

  constructor(pod: Pod, parts: { readonly phase: () => Phase; readonly store: Pick<Store, 'notes'> }) {
    const registers = [pod.metrics];
    this.#bytes = new Counter({
      name: 'quartet_db_intake_bytes_total',
      help: 'Bytes that this member wrote to the log of its shard while that took over keys of another.',
      registers,
    });
    this.#seconds = new Counter({
      name: 'quartet_db_intake_seconds_total',
      help: 'Length of the phases of taking over keys of another shard that are over, as this member saw them.',
      labelNames: ['phase'],
      registers,
    });
    const phase = new Gauge({
      name: 'quartet_db_intake_phase',
      help: '1 for how far this shard is with taking over keys of another, 0 for the rest; none: it does not.',
      labelNames: ['phase'],
      registers: [],
      collect() {
        const now = parts.phase();
        for (const each of phases) this.set({ phase: each }, Number(each === now));
      },
    });
    const strays = new Gauge({
      name: 'quartet_db_strays',
      help: "1 while keys that are another shard's since a split may lie here.",
      registers: [],
      collect() {
        this.set(Number(parts.store.notes.has(straysNote)));
      },
    });
    for (const gauge of [phase, strays]) pod.metrics.registerMetric(gauge);
  }

  written(bytes: number): void {
    this.#bytes.inc(bytes);
  }

  phase(phase: Phase, ms: number): void {
    if (phase !== 'none') this.#seconds.inc({ phase }, ms / 1000);
  }
}
