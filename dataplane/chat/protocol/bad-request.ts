import type { z } from 'zod';
import { replyErrors, withDetail, type ReplyError } from './reply-error.ts';

/** Names the first thing that breaks a schema. */
export const describeIssue = (error: z.ZodError): string => {
  const issue = error.issues[0];
  if (issue === undefined) return 'invalid';
  const path = issue.path.join('.');
  return (path === '' ? issue.message : `${path}: ${issue.message}`).slice(0, 200);
};

/** The reply to input that breaks its schema. */
export const badRequest = (error: z.ZodError): ReplyError => withDetail(replyErrors.badRequest, describeIssue(error));
