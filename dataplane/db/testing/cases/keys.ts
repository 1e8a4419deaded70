import { notInteger, type CommandCase } from './case.ts';

export const keyCases: readonly CommandCase[] = [
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
];
