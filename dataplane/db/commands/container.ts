import { DbError } from '../db-error.ts';
import type { Frame } from '../resp/frame.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { fitsArity, type KeyCommand } from './command.ts';
import type { View } from './view.ts';

/** What follows the name of a command such as OBJECT. */
export interface Subcommand {
  /** As Redis counts it, both words included: negative means at least so many. */
  readonly arity: number;
  /** Its line in HELP. */
  readonly usage: string;
  run(view: View, frame: Frame, reply: ReplyWriter): void;
}

const writeHelp = (reply: ReplyWriter, name: string, subcommands: readonly Subcommand[]): void => {
  const lines = [`${name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`];
  for (const { usage } of subcommands) lines.push(usage);
  lines.push('HELP');
  reply.array(lines.length);
  for (const line of lines) reply.simple(line);
};

/** A command that reads one key in several ways, each named by its second word; HELP lists them. */
export const container = (
  name: string,
  summary: string,
  subcommands: Readonly<Record<string, Subcommand>>,
): KeyCommand => ({
  kind: 'keys',
  keys: { first: 2, last: 2, step: 1 },
  group: 'generic',
  across: 'refuse',
  name,
  arity: -2,
  flags: ['readonly'],
  summary,
  evaluate(view, frame, reply) {
    const word = frame.word(1);
    if (word === 'HELP') return writeHelp(reply, name, Object.values(subcommands));
    const subcommand = subcommands[word];
    if (!subcommand) {
      throw new DbError('ERR', `unknown subcommand '${frame.text(1).slice(0, 128)}'. Try ${name} HELP.`);
    }
    if (!fitsArity(subcommand.arity, frame.count)) {
      throw new DbError('ERR', `wrong number of arguments for '${`${name}|${word}`.toLowerCase()}' command`);
    }
    subcommand.run(view, frame, reply);
  },
});
