import type { PendingCall, Collectives } from '../../src/run/processes/collectives.ts';

class Captured extends Error {}

/** A call under way: what it fills is of no use before the wait for it, and what it was given must stay as it is until then. */
function begun(own: Float32Array, all: Float32Array, result: Float32Array): PendingCall {
  const given = own.slice();
  all.fill(NaN);
  return {
    wait: () => {
      expect(own).toEqual(given);
      all.set(result);
    },
  };
}

/**
 * What each of `size` processes comes to that work together, played one after another in this one: a process is run until it gathers for
 * the first time, then the next, until all have; then each again, with what all had, until it gathers for the second time; and so on.
 * `sharing`: they share memory, in which a process sees what others wrote before the last barrier.
 */
export async function played<T>(
  size: number,
  work: (together: Collectives) => Promise<T>,
  { sharing = false }: { readonly sharing?: boolean } = {},
): Promise<T[]> {
  const gathered: Float32Array[][] = [];
  for (;;) {
    const results: T[] = [];
    const captured: Float32Array[] = [];
    for (let rank = 0; rank < size; rank++) {
      const together = player({ rank, size, sharing }, gathered, (own) => void (captured[rank] = own.slice()));
      const result = await work(together).then(
        (value) => ({ value }),
        (error: unknown) => {
          if (error instanceof Captured) return undefined;
          throw error;
        },
      );
      if (result !== undefined) results.push(result.value);
    }
    if (results.length === size) return results;
    if (results.length > 0) throw new Error('some processes gather more often than others');
    gathered.push(captured);
  }
}

function player(
  { rank, size, sharing }: { readonly rank: number; readonly size: number; readonly sharing: boolean },
  gathered: readonly (readonly Float32Array[])[],
  capture: (own: Float32Array) => void,
): Collectives {
  let call = 0;
  const shared: Float32Array[][] = [];
  const allgather = (own: Float32Array): Float32Array => {
    const all = gathered[call++];
    if (all === undefined) {
      capture(own);
      throw new Captured();
    }
    expect(own).toEqual(all[rank]);
    // Bytes may travel as floats: one by one, some that are no numbers would come out as others.
    const joined = new Float32Array(all.length * own.length);
    all.forEach((each, other) => joined.set(each, other * own.length));
    return joined;
  };
  return {
    ...{ rank, size, waitedSeconds: 0, allgather },
    beginAlltoall: (own, all) => {
      const of = allgather(own);
      const length = own.length / size;
      const result = new Float32Array(all.length);
      for (let other = 0; other < size; other++) {
        const at = other * own.length + rank * length;
        result.set(of.subarray(at, at + length), other * length);
      }
      return begun(own, all, result);
    },
    beginAllgather: (own, all) => begun(own, all, allgather(own)),
    allreduce: (own) => {
      const all = allgather(own);
      return own.map((_, i) =>
        Array.from({ length: size }, (__, other) => all[other * own.length + i]!).reduce((a, b) => a + b),
      );
    },
    broadcast: (values) => values.set(allgather(values).subarray(0, values.length)),
    // All have come where the last one has: what follows is gathered.
    barrier: () => {
      for (const rooms of shared) {
        const all = allgather(rooms[rank]!);
        rooms.forEach((room, other) => room.set(all.subarray(other * room.length, (other + 1) * room.length)));
      }
    },
    ...(sharing && {
      share: (length) => {
        const rooms = Array.from({ length: size }, () => new Float32Array(length));
        shared.push(rooms);
        return { rooms, release: () => undefined };
      },
    }),
    meet: () => Promise.resolve().then(() => void allgather(new Float32Array(0))),
    abort: () => undefined,
    finish: () => undefined,
  };
}

/** One process under mpirun. */
export function lone(): Collectives {
  return {
    ...{ rank: 0, size: 1, waitedSeconds: 0 },
    allgather: (own) => own.slice(),
    beginAlltoall: (own, all) => begun(own, all, own.slice()),
    beginAllgather: (own, all) => begun(own, all, own.slice()),
    allreduce: (own) => own.slice(),
    broadcast: () => undefined,
    barrier: () => undefined,
    meet: () => Promise.resolve(),
    abort: () => undefined,
    finish: () => undefined,
  };
}
