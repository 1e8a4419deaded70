/** A command as people type it, and the reply as `plain` writes it. */
export type Exchange = readonly [command: string, reply: unknown];

/** What a session on an empty database answers, command by command. Words are split at blanks; `""` is the empty word. */
export interface CommandCase {
  readonly name: string;
  readonly exchanges: readonly Exchange[];
}

/** Errors that several cases expect. */
export const notInteger = '-ERR value is not an integer or out of range';
export const arity = (name: string): string => `-ERR wrong number of arguments for '${name}' command`;
export const badTime = (name: string): string => `-ERR invalid expire time in '${name}' command`;

/** The words of a command. */
export const wordsOf = (command: string): string[] => command.split(' ').map((word) => (word === '""' ? '' : word));
