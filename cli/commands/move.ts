import { setTimeout as sleep } from 'node:timers/promises';
import { moveAnnotations, moveText } from '../../crds/move.ts';
import { LocalError, reasonOf } from '../../local/errors.ts';
import type { CommandLine } from '../arguments.ts';
import { clusterOf, type Cluster } from '../cluster.ts';
import { goesOn, moveNews, phaseNames, wantedMove, type MoveNews, type ReplicaSetView } from '../move-watch.ts';
import { Progress } from '../progress.ts';

const usualTimeoutMs = 3_600_000;
const lookEveryMs = 500;

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

const end = (news: MoveNews): string | undefined => {
  if (news.type === 'not-moved') throw invalid(`not moved: ${news.why}`);
  return news.type === 'moved' ? news.text : undefined;
};

/** Shows a step for each phase, and what it waits for. */
const show = (progress: Progress): ((news: MoveNews) => void) => {
  let phase: string | undefined;
  return (news) => {
    if (news.type !== 'goes-on') return;
    if (news.phase !== phase) progress.step(phaseNames[news.phase]);
    phase = news.phase;
    progress.detail(news.detail);
  };
};

/** What a look says: done, with a text; or what it waits for. */
type Look = { readonly done: string } | { readonly waiting: string };

/** Looks until all is done. An API server that does not answer is waited for. */
const follow = async (task: Task, look: (set: ReplicaSetView) => Look): Promise<string> => {
  const deadline = performance.now() + task.timeoutMs;
  let waiting = 'nothing was seen of it';
  while (performance.now() < deadline) {
    const set = await read(task).catch((error: unknown) => {
      waiting = reasonOf(error);
      return undefined;
    });
    if (set !== undefined) {
      const seen = look(set);
      if ('done' in seen) return seen.done;
      waiting = seen.waiting;
    }
    await sleep(lookEveryMs);
  }
  const advice = 'it goes on, and the same command waits again; --cancel gives it up';
  throw new LocalError('start-failed', `not over after ${Math.round(task.timeoutMs / 1000)} s: ${waiting}; ${advice}`);
};

const toItsEnd = ({ progress, replica }: Task): ((set: ReplicaSetView) => Look) => {
  const tell = show(progress);
  return (set) => {
    const news = moveNews(set, replica);
    const text = end(news);
    if (text !== undefined) return { done: text };
    tell(news);
    return { waiting: news.type === 'goes-on' ? news.detail : '' };
  };
};

const begin = async (task: Task, to: string | null): Promise<string> => {
  task.progress.step(`ask for a move of ${task.replica}`);
  await ask(task, to);
  return follow(task, toItsEnd(task));
};

/** Takes the wish back; the new replica then goes. */
const cancel = async (task: Task): Promise<string> => {
  const { cluster, namespace, resource, progress } = task;
  const wanted = wantedMove(await read(task));
  if (wanted === undefined) throw invalid(`${resource} is not asked for a move`);
  progress.step('take the move back');
  const names = Object.values(moveAnnotations).map((name) => `${name}-`);
  await cluster.kubectl(['annotate', resource, '-n', namespace, ...names]);
  return follow(task, ({ status }) => {
    const { replica, message = '' } = status?.move ?? {};
    if (goesOn(status?.move)) return { waiting: message };
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
  try {
    const text = line.cancel ? await cancel(task) : await begin(task, to);
    progress.done();
    console.log(`\n${text} (${progress.seconds.toFixed(1)} s)`);
    return 0;
  } catch (error) {
    progress.failed();
    throw error;
  }
};
