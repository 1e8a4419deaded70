import { describe, expect, it } from 'vitest';
import { contentClass, contentClassOfPath, defaultPolicies, policyFor } from './content-policy.ts';

describe('the policy table', () => {
  it.each([
    ['image/svg+xml', 'image'],
    ['video/mp4', 'video'],
    ['text/html; charset=utf-8', 'html'],
    ['TEXT/CSS', 'css'],
    ['text/javascript', 'javascript'],
    ['application/x-javascript', 'javascript'],
    ['application/json', 'other'],
    [undefined, 'other'],
  ])('%s is %s', (type, name) => {
    expect(contentClass(type)).toBe(name);
  });

  it.each([
    ['/a/b.PNG?x=1', 'image'],
    ['/', 'html'],
    ['/about', 'html'],
    ['/app.js', 'javascript'],
    ['/data.json', 'other'],
    ['/a.b/file', 'html'],
  ])('%s looks like %s', (path, name) => {
    expect(contentClassOfPath(path)).toBe(name);
  });

  it('has the rows of the requirements, and a row for anything else', () => {
    expect(policyFor(defaultPolicies, 'video')).toMatchObject({ ttlSeconds: 604_800, priority: 9 });
    expect(policyFor(defaultPolicies, 'font')).toMatchObject({ contentType: 'other', priority: 5 });
    expect(policyFor([], 'image').maxObjectBytes).toBeGreaterThan(0);
  });
});
