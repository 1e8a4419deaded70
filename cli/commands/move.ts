import { moveAnnotations, moveText } from '../../crds/move.ts';
import { moveGoesOn } from '../../crds/replica-set.ts';
import { LocalError } from '../../local/errors.ts';
import type { CommandLine } from '../arguments.ts';
import { clusterOf, type Cluster } from '../cluster.ts';
import { follow, showing, type Following, type Look } from '../follow.ts';
import { moveNews, phaseNames, wantedMove, type ReplicaSetView } from '../move-watch.ts';
import { Progress } from '../progress.ts';

const usualTimeoutMs = 3_600_000;

const kinds: Readonly<Record<string, string>> = {
  dbshard: 'dbshard',
  dbshards: 'dbshard',
  dbs: 'dbshard',
  searchshard: 'searchshard',
  searchshards: 'searchshard',
  ss: 'searchshard',
};

interface Task {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** `dbshard/app-a` */
  readonly resource: string;
  readonly replica: string;
  readonly progress: Progress;
  readonly timeoutMs: number;
}

const invalid = (message: string): LocalError => new LocalError('invalid', message);

/** `dbshard/app-a`, whatever the kind was called. @throws LocalError */
const resourceOf = (word: string): string => {
  const [kind = '', name, more] = word.split('/');
  const known = kinds[kind];
  if (known !== undefined && name && more === undefined) return `${known}/${name}`;
  throw invalid(`${word}: say dbshard/NAME or searchshard/NAME`);
};

const read = async ({ cluster, namespace, resource }: Task): Promise<ReplicaSetView> =>
  JSON.parse(await cluster.kubectl(['get', resource, '-n', namespace, '-o', 'json'])) as ReplicaSetView;

/** Asks for it, or joins the same one that somebody asked for already. @throws LocalError when another one goes on */
const ask = async (task: Task, to: string | null): Promise<void> => {
  const { cluster, namespace, resource, replica } = task;
  const wanted = wantedMove(await read(task));
  const text = moveText({ replica, to });
  if (wanted !== undefined) {
    if (moveText(wanted) === text) return;
    throw invalid(`not moved: ${resource} is asked for another move already, of ${moveText(wanted)}: wait for its end`);
  }
  await cluster.kubectl(['annotate', resource, '-n', namespace, `${moveAnnotations.move}=${text}`]);
};

/** Looks at the resource until all is done. */
const watch = (task: Task, look: Following<ReplicaSetView>['look']): Promise<string> =>
  follow({
    progress: task.progress,
    timeoutMs: task.timeoutMs,
    read: () => read(task),
    look,
    late: 'not over',
    advice: 'it goes on, and the same command waits again; --cancel gives it up',
  });

const lookAtMove =
  ({ replica }: Task) =>
  (set: ReplicaSetView): Look => {
    const news = moveNews(set, replica);
    if (news.type === 'not-moved') throw invalid(`not moved: ${news.why}`);
    if (news.type === 'moved') return { done: news.text };
    return { step: phaseNames[news.phase], detail: news.detail };
  };

const begin = async (task: Task, to: string | null): Promise<string> => {
  task.progress.step(`ask for a move of ${task.replica}`);
  await ask(task, to);
  return watch(task, lookAtMove(task));
};

/** Takes the wish back; the new replica then goes. */
const cancel = async (task: Task): Promise<string> => {
  const { cluster, namespace, resource, progress } = task;
  const wanted = wantedMove(await read(task));
  if (wanted === undefined) throw invalid(`${resource} is not asked for a move`);
  progress.step('take the move back');
  const names = Object.values(moveAnnotations).map((name) => `${name}-`);
  await cluster.kubectl(['annotate', resource, '-n', namespace, ...names]);
  return watch(task, ({ status }) => {
    const { replica, message = '' } = status?.move ?? {};
    if (moveGoesOn(status?.move)) return { detail: message };
    return { done: replica === wanted.replica ? message : `the move of ${wanted.replica} had not begun` };
  });
};

/** `move dbshard/NAME POD --to NODE`: a new replica is built on the node, then the old one leaves. @throws LocalError */
export const move = async (line: CommandLine): Promise<number> => {
  const { namespace, to = null, timeoutMs = usualTimeoutMs } = line;
  const [word, replica] = line.words;
  if (word === undefined || (replica === undefined && !line.cancel)) {
    throw invalid('say ./quartet move dbshard/NAME REPLICA --to NODE; --help tells more');
  }
  const progress = new Progress();
  const cluster = await clusterOf(line);
  const task: Task = { cluster, namespace, resource: resourceOf(word), replica: replica ?? '', progress, timeoutMs };
  return showing(progress, async () => {
    const text = line.cancel ? await cancel(task) : await begin(task, to);
    return `${text} (${progress.seconds.toFixed(1)} s)`;
  });
};
