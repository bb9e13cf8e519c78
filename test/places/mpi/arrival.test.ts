import { awaitAll } from '../../../src/places/mpi/arrival.ts';

const places = ['node1, process id 11', 'node1, process id 12', 'node2, process id 7'];

/** A clock that goes on with every pause, and a process that comes after `arrives` milliseconds. */
function waiting(rank: number, arrives: number) {
  let now = 0;
  const isWhole = (): boolean => {
    now += 0.1;
    return now >= arrives;
  };
  const pause = (ms: number): void => void (now += ms);
  const arrival = { isWhole, missing: () => (rank === 0 ? [2] : []) };
  return () => awaitAll(arrival, { rank, places, seconds: 5, clock: () => now, pause });
}

describe('waiting for all processes', () => {
  it('ends when they have come, and says how long it took', () => {
    expect(waiting(0, 0)()).toBeLessThan(1);
    expect(Math.round(waiting(1, 4000)())).toBe(4000);
  });

  it('names those that do not come: process 0 knows which', () => {
    expect(waiting(0, Infinity)).toThrow(
      /^process 2 of 3 \(node2, process id 7\): not come to the step where the others have waited for 5 s$/,
    );
  });

  it('names process 0 in the others, which give it time to say who it is', () => {
    expect(waiting(1, 14_000)).not.toThrow();
    expect(waiting(1, Infinity)).toThrow(/^process 0 of 3 \(node1, process id 11\): not come/);
  });

  it('blames the network where all have come', () => {
    const arrival = { isWhole: () => false, missing: () => [] };
    let now = 0;
    const patience = { rank: 0, places, seconds: 5, clock: () => (now += 1000), pause: () => undefined };
    expect(() => awaitAll(arrival, patience)).toThrow(/all 3 processes have come to the same step/);
  });
});
