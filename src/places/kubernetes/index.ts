import type { Launcher } from '../../base/launchers.ts';

/** An Indexed Job of Kubernetes, each of whose pods is a shard. */
export const kubernetes: Launcher = {
  name: 'kubernetes',
  shards: [{ by: 'a Kubernetes Indexed Job', index: 'JOB_COMPLETION_INDEX', count: 'JOB_COMPLETIONS' }],
};
