/** A command as people type it, and the reply as `plain` writes it. */
export type Exchange = readonly [command: string, reply: unknown];

/** What a session on an empty database answers, command by command. Words are split at blanks; `""` is the empty word. */
export interface CommandCase {
  readonly name: string;
  readonly exchanges: readonly Exchange[];
}

const notInteger = '-ERR value is not an integer or out of range';
const arity = (name: string): string => `-ERR wrong number of arguments for '${name}' command`;
const changed = (name: string): string => `-ERR invalid expire time in '${name}' command`;

/** Semantics as in Redis 7.2, for one shard. */
export const commandCases: readonly CommandCase[] = [
  { name: 'GET of a missing key is nil', exchanges: [['GET a', null]] },
  {
    name: 'SET then GET',
    exchanges: [
      ['SET a 1', 'OK'],
      ['GET a', '1'],
      ['get a', '1'],
    ],
  },
  {
    name: 'an empty key and an empty value are allowed',
    exchanges: [
      ['SET "" ""', 'OK'],
      ['GET ""', ''],
      ['EXISTS ""', 1],
      ['DEL ""', 1],
    ],
  },
  {
    name: 'SET NX sets only what is missing',
    exchanges: [
      ['SET a 1 NX', 'OK'],
      ['SET a 2 nx', null],
      ['GET a', '1'],
    ],
  },
  {
    name: 'SET XX sets only what exists',
    exchanges: [
      ['SET a 1 XX', null],
      ['SET a 1', 'OK'],
      ['SET a 2 XX', 'OK'],
      ['GET a', '2'],
    ],
  },
  {
    name: 'SET GET answers the old value',
    exchanges: [
      ['SET a 1 GET', null],
      ['SET a 2 GET', '1'],
      ['SET a 3 XX GET', '2'],
      ['SET a 4 NX GET', '3'],
      ['GET a', '3'],
    ],
  },
  {
    name: 'SET EX sets a time to live, plain SET removes it',
    exchanges: [
      ['SET a 1 EX 100', 'OK'],
      ['TTL a', 100],
      ['SET a 2', 'OK'],
      ['TTL a', -1],
    ],
  },
  {
    name: 'SET KEEPTTL keeps the time to live',
    exchanges: [
      ['SET a 1 EX 100', 'OK'],
      ['SET a 2 KEEPTTL', 'OK'],
      ['TTL a', 100],
      ['GET a', '2'],
    ],
  },
  {
    name: 'SET PX, EXAT and PXAT',
    exchanges: [
      ['SET a 1 PX 100000', 'OK'],
      ['TTL a', 100],
      ['SET a 1 EXAT 99999999999', 'OK'],
      ['EXPIRETIME a', 99999999999],
      ['SET a 1 PXAT 99999999999000', 'OK'],
      ['PEXPIRETIME a', 99999999999000],
    ],
  },
  {
    name: 'SET with options that do not fit together',
    exchanges: [
      ['SET a 1 NX XX', '-ERR syntax error'],
      ['SET a 1 EX 1 PX 1', '-ERR syntax error'],
      ['SET a 1 EX 1 KEEPTTL', '-ERR syntax error'],
      ['SET a 1 EX', '-ERR syntax error'],
      ['SET a 1 FOO', '-ERR syntax error'],
      ['GET a', null],
    ],
  },
  {
    name: 'SET with a bad time',
    exchanges: [
      ['SET a 1 EX 0', changed('set')],
      ['SET a 1 EX -1', changed('set')],
      ['SET a 1 EX x', notInteger],
      ['SET a 1 EX 9223372036854775807', changed('set')],
    ],
  },
  {
    name: 'SETNX',
    exchanges: [
      ['SETNX a 1', 1],
      ['SETNX a 2', 0],
      ['GET a', '1'],
    ],
  },
  {
    name: 'SETEX and PSETEX',
    exchanges: [
      ['SETEX a 100 1', 'OK'],
      ['TTL a', 100],
      ['PSETEX a 50000 2', 'OK'],
      ['TTL a', 50],
      ['GET a', '2'],
      ['SETEX a 0 1', changed('setex')],
      ['PSETEX a -5 1', changed('psetex')],
    ],
  },
  {
    name: 'GETSET and GETDEL',
    exchanges: [
      ['GETSET a 1', null],
      ['GETSET a 2', '1'],
      ['GETDEL a', '2'],
      ['GETDEL a', null],
      ['GET a', null],
    ],
  },
  {
    name: 'GETEX',
    exchanges: [
      ['GETEX a', null],
      ['SET a 1', 'OK'],
      ['GETEX a EX 100', '1'],
      ['TTL a', 100],
      ['GETEX a PERSIST', '1'],
      ['TTL a', -1],
      ['GETEX a FOO', '-ERR syntax error'],
    ],
  },
  {
    name: 'MSET and MGET',
    exchanges: [
      ['MSET a 1 b 2', 'OK'],
      ['MGET a x b', ['1', null, '2']],
      ['MSET a', arity('mset')],
      ['MSET a 1 b', arity('mset')],
    ],
  },
  {
    name: 'MSETNX sets all or nothing',
    exchanges: [
      ['MSETNX a 1 b 2', 1],
      ['MSETNX b 3 c 4', 0],
      ['MGET a b c', ['1', '2', null]],
    ],
  },
  {
    name: 'DEL counts what it removed',
    exchanges: [
      ['MSET a 1 b 2', 'OK'],
      ['DEL a b c a', 2],
      ['EXISTS a b', 0],
      ['SET a 1', 'OK'],
      ['UNLINK a', 1],
    ],
  },
  {
    name: 'EXISTS counts a key named twice twice',
    exchanges: [
      ['SET a 1', 'OK'],
      ['EXISTS a a b', 2],
      ['TOUCH a b', 1],
      ['TYPE a', 'string'],
      ['TYPE b', 'none'],
    ],
  },
  {
    name: 'counters',
    exchanges: [
      ['INCR a', 1],
      ['INCRBY a 10', 11],
      ['DECR a', 10],
      ['DECRBY a 20', -10],
      ['GET a', '-10'],
    ],
  },
  {
    name: 'counters refuse what is no integer',
    exchanges: [
      ['SET a x', 'OK'],
      ['INCR a', notInteger],
      ['SET a 1.5', 'OK'],
      ['INCR a', notInteger],
      ['SET a 007', 'OK'],
      ['INCR a', notInteger],
      ['INCRBY b x', notInteger],
    ],
  },
  {
    name: 'counters have 64 bits and do not overflow',
    exchanges: [
      ['SET a 9223372036854775806', 'OK'],
      ['INCR a', '9223372036854775807'],
      ['INCR a', '-ERR increment or decrement would overflow'],
      ['GET a', '9223372036854775807'],
      ['DECRBY a -9223372036854775808', '-ERR decrement would overflow'],
    ],
  },
  {
    name: 'INCR keeps the time to live',
    exchanges: [
      ['SET a 1 EX 100', 'OK'],
      ['INCR a', 2],
      ['TTL a', 100],
    ],
  },
  {
    name: 'APPEND and STRLEN',
    exchanges: [
      ['STRLEN a', 0],
      ['APPEND a ab', 2],
      ['APPEND a cd', 4],
      ['GET a', 'abcd'],
      ['STRLEN a', 4],
    ],
  },
  {
    name: 'GETRANGE',
    exchanges: [
      ['SET a hello', 'OK'],
      ['GETRANGE a 1 3', 'ell'],
      ['GETRANGE a -3 -1', 'llo'],
      ['GETRANGE a 3 1', ''],
      ['GETRANGE x 0 -1', ''],
    ],
  },
  {
    name: 'EXPIRE, TTL, PERSIST',
    exchanges: [
      ['EXPIRE a 10', 0],
      ['SET a 1', 'OK'],
      ['TTL a', -1],
      ['EXPIRE a 100', 1],
      ['TTL a', 100],
      ['PERSIST a', 1],
      ['PERSIST a', 0],
      ['TTL a', -1],
      ['TTL x', -2],
      ['PTTL x', -2],
    ],
  },
  {
    name: 'EXPIRE with conditions',
    exchanges: [
      ['SET a 1', 'OK'],
      ['EXPIRE a 100 XX', 0],
      ['EXPIRE a 100 NX', 1],
      ['EXPIRE a 50 GT', 0],
      ['EXPIRE a 200 GT', 1],
      ['EXPIRE a 50 LT', 1],
      ['TTL a', 50],
      ['EXPIRE a 50 NX XX', '-ERR NX and XX, GT or LT options at the same time are not compatible'],
      ['EXPIRE a 1 FOO', '-ERR Unsupported option FOO'],
    ],
  },
  {
    name: 'a time in the past removes the key',
    exchanges: [
      ['SET a 1', 'OK'],
      ['EXPIRE a -1', 1],
      ['EXISTS a', 0],
      ['SET a 1', 'OK'],
      ['PEXPIREAT a 1', 1],
      ['GET a', null],
      ['SET a 1', 'OK'],
      ['EXPIREAT a 99999999999', 1],
      ['EXPIRETIME a', 99999999999],
    ],
  },
  {
    name: 'DBSIZE and FLUSHALL',
    exchanges: [
      ['MSET a 1 b 2 c 3', 'OK'],
      ['DBSIZE', 3],
      ['DEL a', 1],
      ['DBSIZE', 2],
      ['FLUSHALL', 'OK'],
      ['DBSIZE', 0],
      ['GET b', null],
      ['SET b 1', 'OK'],
      ['FLUSHDB', 'OK'],
      ['KEYS *', []],
    ],
  },
  {
    name: 'KEYS matches patterns',
    exchanges: [
      ['MSET ab 1 ac 2 bc 3', 'OK'],
      ['KEYS a*', ['ab', 'ac']],
      ['KEYS [^a]c', ['bc']],
      ['KEYS ?c', ['ac', 'bc']],
      ['KEYS nothing', []],
    ],
  },
  {
    name: 'SCAN of a small database is one step',
    exchanges: [
      ['MSET a 1 b 2', 'OK'],
      ['SCAN 0 COUNT 100', ['0', ['a', 'b']]],
      ['SCAN 0 COUNT 100 MATCH b*', ['0', ['b']]],
      ['SCAN 0 COUNT 100 TYPE list', ['0', []]],
      ['SCAN 12345', '-ERR invalid cursor'],
      ['SCAN 0 COUNT 0', '-ERR syntax error'],
      ['SCAN 0 FOO', '-ERR syntax error'],
    ],
  },
  {
    name: 'MULTI and EXEC',
    exchanges: [
      ['MULTI', 'OK'],
      ['SET a 1', 'QUEUED'],
      ['INCR a', 'QUEUED'],
      ['PING', 'QUEUED'],
      ['EXEC', ['OK', 2, 'PONG']],
      ['GET a', '2'],
    ],
  },
  {
    name: 'an empty transaction',
    exchanges: [
      ['MULTI', 'OK'],
      ['EXEC', []],
    ],
  },
  {
    name: 'DISCARD drops what was queued',
    exchanges: [
      ['MULTI', 'OK'],
      ['SET a 1', 'QUEUED'],
      ['DISCARD', 'OK'],
      ['GET a', null],
      ['DISCARD', '-ERR DISCARD without MULTI'],
      ['EXEC', '-ERR EXEC without MULTI'],
    ],
  },
  {
    name: 'MULTI does not nest',
    exchanges: [
      ['MULTI', 'OK'],
      ['MULTI', '-ERR MULTI calls can not be nested'],
      ['SET a 1', 'QUEUED'],
      ['EXEC', ['OK']],
    ],
  },
  {
    name: 'a wrong command aborts the transaction',
    exchanges: [
      ['MULTI', 'OK'],
      ['SET a', arity('set')],
      ['SET a 1', 'QUEUED'],
      ['EXEC', '-EXECABORT Transaction discarded because of previous errors.'],
      ['GET a', null],
    ],
  },
  {
    name: 'a command that fails does not undo the others',
    exchanges: [
      ['SET a x', 'OK'],
      ['MULTI', 'OK'],
      ['SET b 1', 'QUEUED'],
      ['INCR a', 'QUEUED'],
      ['SET c 1', 'QUEUED'],
      ['EXEC', ['OK', notInteger, 'OK']],
      ['MGET b c', ['1', '1']],
    ],
  },
  {
    name: 'a transaction over a changed key does nothing',
    exchanges: [
      ['SET a 1', 'OK'],
      ['WATCH a', 'OK'],
      ['SET a 2', 'OK'],
      ['MULTI', 'OK'],
      ['SET b 1', 'QUEUED'],
      ['EXEC', null],
      ['GET b', null],
    ],
  },
  {
    name: 'a transaction over an unchanged key goes through',
    exchanges: [
      ['SET a 1', 'OK'],
      ['WATCH a x', 'OK'],
      ['MULTI', 'OK'],
      ['INCR a', 'QUEUED'],
      ['EXEC', [2]],
      ['GET a', '2'],
    ],
  },
  {
    name: 'UNWATCH forgets',
    exchanges: [
      ['WATCH a', 'OK'],
      ['SET a 1', 'OK'],
      ['UNWATCH', 'OK'],
      ['MULTI', 'OK'],
      ['GET a', 'QUEUED'],
      ['EXEC', ['1']],
    ],
  },
  {
    name: 'a key that appears counts as changed',
    exchanges: [
      ['WATCH a', 'OK'],
      ['SET a 1', 'OK'],
      ['MULTI', 'OK'],
      ['GET a', 'QUEUED'],
      ['EXEC', null],
    ],
  },
  {
    name: 'a key that is removed and set again counts as changed',
    exchanges: [
      ['SET a 1', 'OK'],
      ['WATCH a', 'OK'],
      ['DEL a', 1],
      ['SET a 1', 'OK'],
      ['MULTI', 'OK'],
      ['GET a', 'QUEUED'],
      ['EXEC', null],
    ],
  },
  {
    name: 'WATCH inside MULTI is refused',
    exchanges: [
      ['MULTI', 'OK'],
      ['WATCH a', '-ERR WATCH inside MULTI is not allowed'],
      ['EXEC', []],
    ],
  },
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

/** The words of a command. */
export const wordsOf = (command: string): string[] => command.split(' ').map((word) => (word === '""' ? '' : word));
