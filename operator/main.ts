import { pino } from 'pino';
import { z } from 'zod';
import { parseSettings, type Settings } from './settings.ts';
import { startOperator } from './start-operator.ts';

const readSettings = (): Settings => {
  try {
    return parseSettings(process.env);
  } catch (error) {
    const text = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    process.stderr.write(`the environment is not right:\n${text}\n`);
    process.exit(1);
  }
};

const settings = readSettings();
const log = pino({ level: settings.logLevel, base: { pod: settings.pod } });
const operator = await startOperator({ settings, log });
log.info({ nats: settings.nats.replicas, image: settings.image }, 'the operator runs');

const stop = (signal: string): void => {
  log.info({ signal }, 'stopping');
  void operator.stop().then(() => process.exit(0));
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
