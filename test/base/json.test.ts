import { DEEPEST, isDeep, parsedJson } from '../../src/base/json.ts';

it('refuses brackets in millions before they are parsed, and reads all else as JSON', () => {
  const began = process.cpuUsage().user;
  for (const text of ['['.repeat(3_000_000), `{"a":${'[{"b":'.repeat(1_000_000)}`])
    expect(() => parsedJson(text)).toThrow(`nested more than ${DEEPEST} deep`);
  // The parser takes seconds for them.
  expect(process.cpuUsage().user - began).toBeLessThan(500_000);
  const long = `[${'{"a[[[":"\\"[["},'.repeat(10_000)}1]`;
  expect(parsedJson(long)).toHaveLength(10_001);
  expect(parsedJson('{"a": [1]}')).toEqual({ a: [1] });
  expect(() => parsedJson('{')).toThrow(SyntaxError);
});

it('counts brackets outside of texts', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  expect([isDeep(nested(DEEPEST)), isDeep(nested(DEEPEST + 1))]).toEqual([false, true]);
  expect(isDeep(JSON.stringify({ text: nested(2 * DEEPEST), quote: `\\"${nested(2 * DEEPEST)}` }))).toBe(false);
});
