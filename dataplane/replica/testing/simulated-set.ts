import { pino } from 'pino';
import { calm, MemoryLog, MemoryStream, type Weather } from '../../log/memory-log.ts';
import { Member } from '../member.ts';
import { ListMachine } from './list-machine.ts';
import type { SimulatedProcess, Simulation } from './simulation.ts';
import type { SnapshotSource } from '../snapshot-source.ts';

/** One replica of a {@link SimulatedSet}: its store lives on when its process is killed. */
export interface Node {
  readonly name: string;
  readonly machine: ListMachine;
  process: SimulatedProcess;
  member: Member;
  starts: number;
}

const logger = pino({ level: process.env['QUARTET_TEST_LOG'] ?? 'silent' });

/** No faults, but every request takes time. */
const gentle: Weather = { ...calm, delayMs: () => 1 };

/** Several replicas in one process on one in-memory log, under a {@link Simulation}. For tests. */
export class SimulatedSet {
  readonly stream = new MemoryStream();
  readonly nodes: Node[] = [];
  readonly #simulation: Simulation;
  readonly #weather: (name: string) => Weather;

  constructor(simulation: Simulation, names: readonly string[], weather: (name: string) => Weather = () => gentle) {
    this.#simulation = simulation;
    const network = simulation.process();
    this.#weather = (name) => ({ network, ...weather(name) });
    for (const name of names) {
      const process = simulation.process();
      const machine = new ListMachine();
      this.nodes.push({ name, machine, process, member: this.#member(name, machine, process, 1), starts: 1 });
    }
    for (const { member } of this.nodes) member.start();
  }

  node(name: string): Node {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new RangeError(name);
    return found;
  }

  get leaders(): readonly Node[] {
    return this.nodes.filter(({ member, process }) => member.leading && !process.stopped);
  }

  /** Ends the process without a word, and starts another one on its store. */
  restart(node: Node): void {
    node.process.stopped = true;
    void node.member.kill();
    node.starts += 1;
    node.process = this.#simulation.process();
    node.member = this.#member(node.name, node.machine, node.process, node.starts);
    node.member.start();
  }

  async stop(): Promise<void> {
    const stopped = this.nodes.map((node) => {
      node.process.stopped = false;
      return node.member.kill();
    });
    await this.#simulation.run(10_000);
    await Promise.all(stopped);
  }

  #member(name: string, machine: ListMachine, process: SimulatedProcess, start: number): Member {
    return new Member({
      writer: `${name}/${start}`,
      log: new MemoryLog(this.stream, process, this.#weather(name)),
      machine,
      clock: process,
      logger: logger.child({ node: name }),
      snapshots: this.#snapshots(name),
      expectedLog: () => 'memory-1',
      onChange: () => {},
    });
  }

  #snapshots(own: string): SnapshotSource {
    const others = () => this.nodes.filter(({ name, process }) => name !== own && !process.stopped);
    return {
      peers: () =>
        others()
          .filter(({ member }) => member.state === 'following' || member.state === 'primary')
          .map(({ name, member }) => ({ pod: name, applied: member.applied, leading: member.leading })),
      open: async (pod) => this.node(pod).machine.snapshot(),
    };
  }
}
