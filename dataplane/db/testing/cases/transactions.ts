import { notInteger, arity, type CommandCase } from './case.ts';

export const transactionCases: readonly CommandCase[] = [
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
];
