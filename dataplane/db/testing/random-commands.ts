import * as fc from 'fast-check';

/** Few keys and names, so that commands meet each other's values; some of them odd. */
const key = fc.constantFrom('a', 'b', 'c', 'd');
const name = fc.constantFrom('x', 'y', 'z', 'xx', '', '10', '3.5');
const value = fc.constantFrom('v', '', '7', '-3', '1.5', 'text', '9007199254740993', '1e3');
const index = fc.constantFrom('0', '1', '-1', '2', '-2', '5', '-100', '100', 'one');
const score = fc.constantFrom('1', '2', '2.5', '-1', '0', 'inf', '-inf', '1e10', 'nan', '');
const scoreBound = fc.constantFrom('-inf', '+inf', '1', '(1', '2.5', '(2.5', '0', 'x');
const lexBound = fc.constantFrom('-', '+', '[x', '(x', '[xx', '(z', 'x', '[');
const count = fc.constantFrom('0', '1', '2', '10', '-1', 'n');

type Part = fc.Arbitrary<string | readonly string[]>;

const is = (word: string): Part => fc.constant(word);
const maybe = (...words: readonly string[]): Part =>
  fc.constantFrom<readonly string[]>([], [], ...words.map((word) => word.split(' ')));
const many = (part: Part): Part => fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.flat());
const pair = (first: Part, second: Part): Part => fc.tuple(first, second).map((parts) => parts.flat());

const command = (...parts: readonly Part[]): fc.Arbitrary<readonly string[]> =>
  fc.tuple(...parts).map((each) => each.flat());
const named = (names: string, ...parts: readonly Part[]): fc.Arbitrary<readonly string[]> =>
  command(fc.constantFrom(...names.split(' ')), ...parts);

const limit = maybe('LIMIT 0 2', 'LIMIT 1 1', 'LIMIT 0 -1', 'LIMIT -1 1', 'LIMIT 1');
const zaddFlags = maybe('NX', 'XX', 'GT', 'LT', 'CH', 'INCR', 'NX XX', 'GT CH', 'XX INCR');

/** Commands whose replies do not depend on chance or time, arguments that do not fit included. */
export const randomCommand: fc.Arbitrary<readonly string[]> = fc.oneof(
  named('GET STRLEN INCR DECR TYPE EXISTS DEL UNLINK TTL PERSIST GETDEL LLEN SCARD ZCARD HLEN', key),
  named('SET SETNX APPEND GETSET INCRBY DECRBY INCRBYFLOAT', key, value),
  command(is('SET'), key, value, maybe('NX', 'XX', 'GET', 'NX GET', 'EX 100', 'KEEPTTL', 'EX 0', 'BAD')),
  command(is('GETEX'), key, maybe('EX 100', 'PERSIST', 'EX', 'PX -1')),
  named('GETRANGE', key, index, index),
  named('SETRANGE', key, index, value),
  named('MGET EXISTS DEL', many(key)),
  named('MSET MSETNX', many(pair(key, value))),
  command(is('EXPIRE'), key, fc.constantFrom('100', '-1', 'x'), maybe('NX', 'XX', 'GT', 'LT')),
  named('RENAME RENAMENX', key, key),
  named('HSET HMSET', key, many(pair(name, value))),
  named('HSET', key, many(name)),
  named('HSETNX', key, name, value),
  named('HGET HEXISTS HSTRLEN', key, name),
  named('HGETALL HKEYS HVALS', key),
  named('HDEL HMGET', key, many(name)),
  named('HINCRBY HINCRBYFLOAT', key, name, value),
  named('SADD SREM SMISMEMBER', key, many(name)),
  named('SISMEMBER', key, name),
  named('SMEMBERS', key),
  named('SINTER SUNION SDIFF', many(key)),
  named('SINTERSTORE SUNIONSTORE SDIFFSTORE', key, many(key)),
  command(is('SINTERCARD'), count, many(key), limit),
  named('SMOVE', key, key, name),
  command(is('ZADD'), key, zaddFlags, many(pair(score, name))),
  named('ZINCRBY', key, score, name),
  named('ZREM ZMSCORE', key, many(name)),
  named('ZSCORE ZRANK ZREVRANK', key, name),
  command(
    fc.constantFrom('ZRANGE', 'ZREVRANGE'),
    key,
    index,
    index,
    maybe('WITHSCORES', 'REV', 'REV WITHSCORES'),
    limit,
  ),
  command(is('ZRANGE'), key, scoreBound, scoreBound, is('BYSCORE'), maybe('REV', 'WITHSCORES'), limit),
  // By name is defined only where all scores are the same.
  named('ZADD', is('lex'), many(pair(is('0'), name))),
  named('ZLEXCOUNT ZREMRANGEBYLEX', is('lex'), lexBound, lexBound),
  command(fc.constantFrom('ZRANGEBYLEX', 'ZREVRANGEBYLEX'), is('lex'), lexBound, lexBound, limit),
  command(is('ZRANGE'), is('lex'), lexBound, lexBound, is('BYLEX'), maybe('REV', 'WITHSCORES'), limit),
  command(
    fc.constantFrom('ZRANGEBYSCORE', 'ZREVRANGEBYSCORE'),
    key,
    scoreBound,
    scoreBound,
    maybe('WITHSCORES'),
    limit,
  ),
  named('ZCOUNT ZREMRANGEBYSCORE', key, scoreBound, scoreBound),
  named('ZREMRANGEBYRANK', key, index, index),
  command(is('ZRANGESTORE'), key, key, index, index, maybe('REV', 'BYSCORE')),
  named('ZPOPMIN ZPOPMAX LPOP RPOP', key),
  named('ZPOPMIN ZPOPMAX LPOP RPOP', key, count),
  named('LPUSH RPUSH LPUSHX RPUSHX', key, many(name)),
  named('LRANGE LTRIM', key, index, index),
  named('LINDEX', key, index),
  named('LSET', key, index, value),
  named('LREM', key, count, name),
  command(is('LINSERT'), key, fc.constantFrom('BEFORE', 'AFTER', 'NEXT'), name, name),
  command(
    is('LPOS'),
    key,
    name,
    maybe('RANK 1', 'RANK -1', 'RANK 0', 'RANK 2', 'COUNT 0', 'COUNT 2', 'MAXLEN 1', 'COUNT -1'),
  ),
  command(is('LMOVE'), key, key, fc.constantFrom('LEFT', 'RIGHT', 'UP'), fc.constantFrom('LEFT', 'RIGHT')),
  named('RPOPLPUSH', key, key),
);
