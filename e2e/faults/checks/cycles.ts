/** ww, wr, rw: what Adya calls write, read and anti-dependency; rt: ended before the other began. */
export type EdgeKind = 'ww' | 'wr' | 'rw' | 'rt';

export interface Edge<T> {
  readonly kind: EdgeKind;
  readonly from: T;
  readonly to: T;
}

/** A cycle by its name, and the transactions on it, the first one again at its end. */
export interface Cycle<T> {
  readonly name: string;
  readonly nodes: readonly T[];
}

type Graph<T> = ReadonlyMap<T, readonly Edge<T>[]>;

/** From the worst to the mildest, without and with the order of real time. `rw`: how many anti-dependencies it needs. */
const anomalies: readonly { readonly name: string; readonly kinds: readonly EdgeKind[]; readonly rw: boolean }[] = [
  { name: 'G0', kinds: ['ww'], rw: false },
  { name: 'G1c', kinds: ['ww', 'wr'], rw: false },
  { name: 'G-single', kinds: ['ww', 'wr'], rw: true },
  { name: 'G2', kinds: ['ww', 'wr', 'rw'], rw: true },
  { name: 'G0-realtime', kinds: ['ww', 'rt'], rw: false },
  { name: 'G1c-realtime', kinds: ['ww', 'wr', 'rt'], rw: false },
  { name: 'G-single-realtime', kinds: ['ww', 'wr', 'rt'], rw: true },
  { name: 'G2-realtime', kinds: ['ww', 'wr', 'rw', 'rt'], rw: true },
];

/** One cycle, the worst that it has, for each knot of the graph (Adya, "Weak Consistency", chapter 4). */
export const findCycles = <T>(edges: readonly Edge<T>[]): Cycle<T>[] =>
  components(graphOf(edges)).flatMap((component) => {
    const inside = new Set(component);
    const within = edges.filter(({ from, to }) => inside.has(from) && inside.has(to));
    return worstOf(within) ?? [];
  });

const graphOf = <T>(edges: readonly Edge<T>[]): Graph<T> => {
  const graph = new Map<T, Edge<T>[]>();
  for (const edge of edges) {
    const leaving = graph.get(edge.from);
    if (leaving === undefined) graph.set(edge.from, [edge]);
    else leaving.push(edge);
    if (!graph.has(edge.to)) graph.set(edge.to, []);
  }
  return graph;
};

/** Ways back that are looked for before a cycle counts as one of the next class, which it also belongs to. */
const tries = 500;

const worstOf = <T>(edges: readonly Edge<T>[]): Cycle<T> | undefined => {
  for (const { name, kinds, rw } of anomalies) {
    const path = graphOf(edges.filter(({ kind }) => kinds.includes(kind)));
    const whole = edges.filter(({ kind }) => kinds.includes(kind) || (rw && kind === 'rw'));
    const knotted = new Set(components(graphOf(whole)).flat());
    const closing = whole.filter(
      ({ kind, from, to }) => (!rw || kind === 'rw') && knotted.has(from) && knotted.has(to),
    );
    for (const { from, to } of closing.slice(0, tries)) {
      const back = shortestPath(path, to, from);
      if (back !== undefined) return { name, nodes: [from, ...back] };
    }
  }
  return undefined;
};

/** Nodes of a shortest path, both ends included. */
const shortestPath = <T>(graph: Graph<T>, from: T, to: T): T[] | undefined => {
  const cameFrom = new Map<T, T | null>([[from, null]]);
  const queue = [from];
  for (let at = 0; at < queue.length; at++) {
    const node = queue[at] as T;
    if (node === to) return pathTo(cameFrom, node);
    for (const { to: next } of graph.get(node) ?? []) {
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      queue.push(next);
    }
  }
  return undefined;
};

const pathTo = <T>(cameFrom: ReadonlyMap<T, T | null>, end: T): T[] => {
  const path: T[] = [];
  for (let node: T | null = end; node !== null; node = cameFrom.get(node) ?? null) path.unshift(node);
  return path;
};

/** Strongly connected components of more than one node (Tarjan's algorithm, with a stack of its own). */
const components = <T>(graph: Graph<T>): T[][] => {
  const tarjan = new Tarjan(graph);
  for (const node of graph.keys()) tarjan.visit(node);
  return tarjan.found;
};

class Tarjan<T> {
  readonly found: T[][] = [];
  readonly #graph: Graph<T>;
  readonly #index = new Map<T, number>();
  readonly #low = new Map<T, number>();
  readonly #open = new Set<T>();
  readonly #stack: T[] = [];

  constructor(graph: Graph<T>) {
    this.#graph = graph;
  }

  visit(root: T): void {
    if (this.#index.has(root)) return;
    const calls = [this.#enter(root)];
    for (let call = calls.at(-1); call !== undefined; call = calls.at(-1)) {
      const edge = call.edges[call.next++];
      if (edge === undefined) {
        calls.pop();
        this.#leave(call.node, calls.at(-1)?.node);
      } else if (!this.#index.has(edge.to)) calls.push(this.#enter(edge.to));
      else if (this.#open.has(edge.to)) this.#lower(call.node, this.#index.get(edge.to) ?? 0);
    }
  }

  #enter(node: T): { node: T; edges: readonly Edge<T>[]; next: number } {
    this.#index.set(node, this.#index.size);
    this.#low.set(node, this.#index.size - 1);
    this.#open.add(node);
    this.#stack.push(node);
    return { node, edges: this.#graph.get(node) ?? [], next: 0 };
  }

  #leave(node: T, parent: T | undefined): void {
    const low = this.#low.get(node) ?? 0;
    if (parent !== undefined) this.#lower(parent, low);
    if (low !== this.#index.get(node)) return;
    const component = this.#stack.splice(this.#stack.lastIndexOf(node));
    for (const member of component) this.#open.delete(member);
    if (component.length > 1) this.found.push(component);
  }

  #lower(node: T, to: number): void {
    this.#low.set(node, Math.min(this.#low.get(node) ?? 0, to));
  }
}
