import type { Launcher } from '../../base/launchers.ts';

/** A launcher with the variables of torchrun, each of whose processes is a shard. */
export const torchrun: Launcher = {
  name: 'torchrun',
  shards: [{ by: 'a launcher like torchrun', index: 'RANK', count: 'WORLD_SIZE' }],
};
