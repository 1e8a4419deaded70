import { Histogram, type MetricObjectWithValues, type MetricValueWithName, type Registry } from 'prom-client';
import type { CommandFigures } from '../front/command-stats.ts';

const name = 'quartet_db_command_seconds';
/** Microseconds. */
const bounds = [100, 250, 500, 1e3, 2e3, 4e3, 8e3, 16e3, 32e3, 64e3, 128e3, 256e3, 512e3, 1e6, 2e6, 5e6, 10e6];

/** `le` is the bound of a bucket, which prom-client knows only of its own histograms. */
type Label = 'command' | 'le';
type Value = MetricValueWithName<Label>;

/** One command: its buckets, sum and count. */
const valuesOf = ({ name: command, latency }: CommandFigures): Value[] => {
  const labels = { command: command.toLowerCase() };
  const buckets = latency.cumulative(bounds).map((count, i) => ({ le: (bounds[i] ?? 0) / 1e6, count }));
  return [
    ...buckets.map(({ le, count }) => ({ metricName: `${name}_bucket`, value: count, labels: { ...labels, le } })),
    { metricName: `${name}_bucket`, value: latency.count, labels: { ...labels, le: '+Inf' } },
    { metricName: `${name}_sum`, value: latency.sum / 1e6, labels },
    { metricName: `${name}_count`, value: latency.count, labels },
  ];
};

const description = {
  name,
  help: 'From reading a command until its reply is there.',
  labelNames: ['command'],
  buckets: bounds.map((micros) => micros / 1e6),
} as const;

/**
 * Latencies by command, read from the figures that a front end keeps anyway when somebody asks: noting one costs nothing
 * more. The label has the names of commands that there are, and only those that were called. CONFIG RESETSTAT sets them
 * back to 0, which Prometheus takes for a restart.
 */
export class CommandLatencies extends Histogram<Label> {
  readonly #commands: () => readonly CommandFigures[];
  /** Name, help and type without values. */
  readonly #empty = new Histogram<Label>({ ...description, registers: [] });

  constructor(registry: Registry, commands: () => readonly CommandFigures[]) {
    super({ ...description, registers: [registry] });
    this.#commands = commands;
  }

  override async get(): Promise<MetricObjectWithValues<Value>> {
    const values = this.#commands().flatMap(valuesOf);
    return { ...(await this.#empty.get()), values };
  }

  /** What a registry prints. */
  getForPromString(): Promise<MetricObjectWithValues<Value>> {
    return this.get();
  }
}
