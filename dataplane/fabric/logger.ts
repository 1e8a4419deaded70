import { pino, type Logger } from 'pino';
import type { PodEnv } from '../../contract/pod-env.ts';

/** Logs are JSON lines on stdout; `bindings` are on every line. */
export const createLogger = (level: PodEnv['QUARTET_LOG_LEVEL'], bindings: Record<string, string>): Logger =>
  pino({
    level,
    base: bindings,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ['secret', 'token', 'password', '*.secret', '*.token', '*.password'],
  });
