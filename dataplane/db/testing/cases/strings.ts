import { notInteger, arity, badTime, type CommandCase } from './case.ts';

export const stringCases: readonly CommandCase[] = [
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
      ['SET a 1 EX 0', badTime('set')],
      ['SET a 1 EX -1', badTime('set')],
      ['SET a 1 EX x', notInteger],
      ['SET a 1 EX 9223372036854775807', badTime('set')],
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
      ['SETEX a 0 1', badTime('setex')],
      ['PSETEX a -5 1', badTime('psetex')],
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
];
