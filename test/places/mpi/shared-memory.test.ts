import { existsSync, readdirSync } from 'node:fs';
import koffi from 'koffi';
import { SharedMemory } from '../../../src/places/mpi/shared-memory.ts';
import type { SharedRooms } from '../../../src/run/processes/collectives.ts';

/** Two processes in one: the second one comes while the first one waits for it. `seen`: how many of them map the file. */
function pair(seen?: number) {
  let name = new Float32Array(0);
  let other: SharedRooms | undefined;
  const reduced = (own: Float32Array): Float32Array => Float32Array.of(seen ?? 2 * own[0]!);
  const second = new SharedMemory(
    { rank: 1, size: 2, allgather: () => name, allreduce: reduced, barrier: () => undefined },
    koffi,
  );
  const first = new SharedMemory(
    {
      ...{ rank: 0, size: 2, allreduce: reduced },
      allgather: (own) => (name = Float32Array.from([...own, ...own])),
      barrier: () => void (other = second.rooms(100_000)),
    },
    koffi,
  );
  return { first, other: () => other };
}

const files = (): string[] =>
  existsSync('/dev/shm') ? readdirSync('/dev/shm').filter((file) => file.startsWith('limbeck-')) : [];
const onLinux = process.platform === 'linux' ? it : it.skip;

onLinux('what one process writes the other one reads, and the file has no name any more', () => {
  const before = files();
  const { first, other } = pair();
  const own = first.rooms(100_000)!;
  own.rooms[0]![99_999] = 1.5;
  other()!.rooms[1]![0] = -2;
  expect(other()!.rooms[0]![99_999]).toBe(1.5);
  expect(own.rooms[1]![0]).toBe(-2);
  expect(own.rooms.map(({ length }) => length)).toEqual([100_000, 100_000]);
  expect(files()).toEqual(before);
  own.release();
  const again = first.rooms(50_000)!.rooms[0]!;
  expect(again).toHaveLength(50_000);
  expect(again.buffer).toBe(own.rooms[0]!.buffer);
});

onLinux('no process has shared memory if one of them cannot open it', () => {
  const before = files();
  const { first, other } = pair(1);
  expect(first.rooms(100_000)).toBeUndefined();
  expect(other()).toBeUndefined();
  expect(files()).toEqual(before);
});
