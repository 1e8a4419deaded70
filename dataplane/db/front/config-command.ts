import { globMatch } from '../commands/glob.ts';
import { noKeys } from '../commands/command.ts';
import { DbError } from '../db-error.ts';
import { maxValueBytes } from '../limits.ts';
import type { Server, SessionCommand } from './session.ts';

/** What tools ask for. Nothing can be set here: a database is configured by its resource. */
const settings = (server: Server): Readonly<Record<string, string>> => ({
  appendfsync: 'always',
  appendonly: 'yes',
  databases: '1',
  maxclients: String(server.facts.maxClients),
  maxmemory: '0',
  'maxmemory-policy': 'noeviction',
  port: String(server.facts.port),
  'proto-max-bulk-len': String(maxValueBytes),
  save: '',
  timeout: '0',
});

export const configCommand: SessionCommand = {
  kind: 'session',
  name: 'CONFIG',
  arity: -2,
  flags: ['admin', 'noscript', 'loading', 'stale'],
  keys: noKeys,
  group: 'server',
  summary:
    'CONFIG GET tells settings, CONFIG RESETSTAT forgets figures of commands. Settings are changed in the resource.',
  inTransaction: 'refuse',
  run(_client, frame, reply, server) {
    const subcommand = frame.word(1);
    if (subcommand === 'RESETSTAT') {
      server.stats.reset();
      return reply.ok();
    }
    if (subcommand !== 'GET')
      throw new DbError('ERR', 'only CONFIG GET is served: a database is configured by its resource');
    const patterns = Array.from({ length: frame.count - 2 }, (_, i) => frame.key(i + 2).toLowerCase());
    const found = Object.entries(settings(server)).filter(([name]) =>
      patterns.some((pattern) => globMatch(pattern, name)),
    );
    reply.map(found.length);
    for (const text of found.flat()) reply.bulk(text);
  },
};
