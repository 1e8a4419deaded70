/**
 * A process that runs for a lease, for tests that kill it: `node candidate.ts <kubeconfig> <namespace> <identity>`.
 * Prints a line per change of its state, and stops in order on SIGTERM.
 */
import pino from 'pino';
import { connectKube } from '../connection.ts';
import { createManager } from '../operator-manager.ts';
import { addWidgetController } from './widget-controller.ts';

const [kubeconfig = '', namespace = '', identity = ''] = process.argv.slice(2);
const say = (word: string): void => void process.stdout.write(`${word}\n`);

const client = connectKube({ kubeconfig });
const manager = createManager({
  client,
  identity,
  log: pino({ level: 'silent' }),
  lease: { namespace, name: 'candidates', durationMs: 3_000, renewDeadlineMs: 2_000, retryMs: 300 },
});
addWidgetController(manager, { namespace });
manager.leaderTask('say', async (signal) => {
  say('leading');
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  say('ended');
});
process.once('SIGTERM', () => {
  void manager.stop().then(() => {
    client.close();
    say('stopped');
  });
});
await manager.start();
await manager.synced(20_000);
say('ready');
