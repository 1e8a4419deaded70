import { noKeys } from '../commands/command.ts';
import { extraSections, infoSections } from './info-sections.ts';
import type { SessionCommand } from './session.ts';

const all = new Set(['all', 'everything']);

/** Whether the words of an INFO command ask for a section. */
const isWanted = (section: string, words: readonly string[]): boolean =>
  words.some(
    (word) => word === section.toLowerCase() || all.has(word) || (word === 'default' && !extraSections.has(section)),
  );

export const infoCommand: SessionCommand = {
  kind: 'session',
  name: 'INFO',
  arity: -1,
  flags: ['loading', 'stale'],
  keys: noKeys,
  group: 'server',
  summary: 'Tells about this server and the database.',
  inTransaction: 'refuse',
  run({ session }, frame, reply, server) {
    const asked = Array.from({ length: frame.count - 1 }, (_, i) => frame.text(i + 1).toLowerCase());
    const words = asked.length === 0 ? ['default'] : asked;
    const chosen = Object.entries(infoSections).filter(([name]) => isWanted(name, words));
    const texts = chosen.map(([name, section]) => {
      const fields = Object.entries(section(server, session)).map(([field, value]) => `${field}:${value}\r\n`);
      return `# ${name}\r\n${fields.join('')}`;
    });
    reply.bulk(texts.join('\r\n'));
  },
};
