import { arity, type CommandCase } from './case.ts';

export const connectionCases: readonly CommandCase[] = [
  {
    name: 'PING and ECHO',
    exchanges: [
      ['PING', 'PONG'],
      ['PING hello', 'hello'],
      ['ECHO hello', 'hello'],
      ['PING a b', arity('ping')],
      ['ECHO', arity('echo')],
    ],
  },
  {
    name: 'SELECT takes 0 only',
    exchanges: [
      ['SELECT 0', 'OK'],
      ['SELECT 1', '-ERR DB index is out of range'],
      ['SELECT x', '-ERR invalid DB index'],
    ],
  },
  {
    name: 'unknown commands',
    exchanges: [
      ['FOO a b', "-ERR unknown command 'FOO', with args beginning with: 'a' 'b' "],
      ['QVERSIONS a', "-ERR unknown command 'QVERSIONS', with args beginning with: 'a' "],
      ['GET', arity('get')],
      ['GET a b', arity('get')],
    ],
  },
  {
    name: 'AUTH chooses a database by its name',
    exchanges: [
      ['AUTH app secret', 'OK'],
      ['AUTH default x', 'OK'],
      [
        'AUTH nobody x',
        '-WRONGPASS invalid username-password pair or user is disabled: the user name has to be that of a database',
      ],
      [
        'AUTH x',
        '-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
      ],
    ],
  },
  {
    name: 'CLIENT',
    exchanges: [
      ['CLIENT SETNAME me', 'OK'],
      ['CLIENT GETNAME', 'me'],
      ['CLIENT SETINFO LIB-NAME lib', 'OK'],
      ['CLIENT SETINFO FOO bar', "-ERR Unrecognized option 'FOO'"],
      ['CLIENT NO-EVICT ON', 'OK'],
      ['CLIENT FOO', "-ERR unknown subcommand 'FOO'. Try CLIENT HELP."],
    ],
  },
  {
    name: 'CONFIG GET',
    exchanges: [
      ['CONFIG GET save', ['save', '']],
      ['CONFIG GET append*', ['appendfsync', 'always', 'appendonly', 'yes']],
      ['CONFIG GET nothing', []],
      ['CONFIG SET save x', '-ERR only CONFIG GET is served: a database is configured by its resource'],
    ],
  },
  {
    name: 'COMMAND',
    exchanges: [
      [
        'COMMAND INFO get nope',
        [['get', 2, ['readonly', 'fast'], 1, 1, 1, ['@read', '@fast', '@string'], [], [], []], null],
      ],
      ['COMMAND GETKEYS MSET a 1 b 2', ['a', 'b']],
      ['COMMAND FOO', "-ERR unknown subcommand 'FOO'. Try COMMAND HELP."],
    ],
  },
];
