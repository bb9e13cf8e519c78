import { shardOf, textOf } from '../../../src/base/shard.ts';

it('each pod of an Indexed Job is a shard', () => {
  expect(textOf(shardOf(undefined, { JOB_COMPLETION_INDEX: '3', JOB_COMPLETIONS: '8' }))).toBe('3/8');
  expect(() => shardOf(undefined, { JOB_COMPLETION_INDEX: '3' })).toThrow(
    /a Kubernetes Indexed Job says JOB_COMPLETION_INDEX=3 and JOB_COMPLETIONS=,/,
  );
});
