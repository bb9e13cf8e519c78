import { CostLine } from '../../src/serve/batch/cost.ts';
import { decide, mostWithin } from '../../src/serve/batch/policy.ts';
import type { Situation } from '../../src/serve/batch/policy.ts';
import { RequestQueue } from '../../src/serve/batch/queue.ts';
import type { Waiting } from '../../src/serve/batch/queue.ts';
import { DEFAULT_BATCHING } from '../../src/serve/serve.ts';

describe('the cost of a call', () => {
  it('is a line through what was measured', () => {
    const line = new CostLine();
    for (const n of [1, 2, 4, 8]) line.add(n, 3 + 0.5 * n);
    expect(line.cost.fixed).toBeCloseTo(3, 6);
    expect(line.cost.perSample).toBeCloseTo(0.5, 6);
    expect(line.of(16)).toBeCloseTo(11, 6);
    expect(line.of(0)).toBe(0);
  });

  it('follows a machine that becomes slower, seen at one size alone', () => {
    const line = new CostLine();
    for (const n of [1, 2, 4, 8]) line.add(n, 3 + 0.5 * n);
    for (let i = 0; i < 1000; i++) line.add(4, 10);
    expect(line.of(4)).toBeCloseTo(10, 2);
    expect(line.cost.fixed).toBeGreaterThan(line.cost.perSample);
  });

  it('is never negative', () => {
    const line = new CostLine();
    for (const [n, ms] of [
      [1, 1],
      [2, 5],
      [4, 20],
      [8, 3],
    ] as const) {
      line.add(n, ms);
      expect(line.cost.fixed).toBeGreaterThanOrEqual(0);
      expect(line.cost.perSample).toBeGreaterThanOrEqual(0);
    }
    // A line through zero, but for rounding.
    const proportional = new CostLine();
    for (const n of [1, 10]) proportional.add(n, 0.3 * n);
    expect(proportional.cost.fixed).toBe(0);
  });
});

describe('when to run', () => {
  const now: Situation = { samples: 2, oldestWaitMs: 0, slackMs: Infinity };
  const waiting = { ...DEFAULT_BATCHING, maxDelayMs: 5 };

  it('runs what is there, unless told to wait', () => {
    expect(decide(now, DEFAULT_BATCHING)).toEqual({ run: 64 });
    expect(decide(now, waiting)).toEqual({ waitMs: 5 });
    expect(decide({ ...now, oldestWaitMs: 1 }, waiting)).toEqual({ waitMs: 4 });
    expect(decide({ ...now, oldestWaitMs: 5 }, waiting)).toEqual({ run: 64 });
  });

  it('does not wait beyond a deadline, nor with a full batch', () => {
    expect(decide({ ...now, slackMs: 2 }, waiting)).toEqual({ waitMs: 2 });
    expect(decide({ ...now, slackMs: -1 }, waiting)).toEqual({ run: 64 });
    expect(decide({ ...now, samples: 64 }, waiting)).toEqual({ run: 64 });
  });

  it('forms preferred sizes without waiting', () => {
    const options = { ...waiting, preferred: [2, 4, 8] };
    expect(decide({ ...now, samples: 7 }, options)).toEqual({ run: 4 });
    expect(decide({ ...now, samples: 1 }, options)).toEqual({ waitMs: 5 });
    // Beyond a deadline no request waits for a size to fill again.
    expect(decide({ ...now, samples: 7, slackMs: 0 }, options)).toEqual({ run: 64 });
  });

  it('makes no batch that takes longer than there is time', () => {
    const cost = { fixed: 10, perSample: 1 };
    expect(mostWithin(30, cost)).toBe(20);
    expect(mostWithin(5, cost)).toBe(1);
    expect(mostWithin(Infinity, cost)).toBe(Infinity);
  });
});

describe('the queue', () => {
  const waiting = (id: string, { samples = 1, priority = 0, group = '', again = false } = {}): Waiting => ({
    ...{ group, again, arrivedMs: 0, deadlineMs: Infinity, resolve: () => undefined, reject: () => undefined },
    request: { inputs: [], outputs: [id], samples, priority },
  });
  const ids = ({ found, full }: ReturnType<RequestQueue['together']>): string =>
    found.map(({ request }) => request.outputs[0]).join('') + (full ? ' full' : '');

  it('puts together what fits together, in order', () => {
    const queue = new RequestQueue(1);
    const all = [
      waiting('a'),
      waiting('b', { group: 'other' }),
      waiting('c', { samples: 3 }),
      waiting('d', { samples: 2 }),
      waiting('e'),
    ];
    for (const one of all) queue.add(one);
    expect(ids(queue.together(4))).toBe('ac full');
    // d does not fit any more, and e does not overtake it.
    expect(ids(queue.together(5))).toBe('ac full');
    expect(ids(queue.together(100))).toBe('acde');
    expect([queue.requests, queue.samples]).toEqual([5, 8]);
    queue.remove([all[0]!, all[2]!]);
    expect([queue.requests, queue.samples]).toEqual([3, 4]);
    expect(ids(queue.together(100))).toBe('b');
  });

  it('runs the first one whatever it has, and one that is tried again alone', () => {
    const queue = new RequestQueue(1);
    queue.add(waiting('a', { samples: 9 }));
    expect(ids(queue.together(4))).toBe('a full');
    queue.addFirst([waiting('x', { again: true }), waiting('y', { again: true })]);
    expect(ids(queue.together(4))).toBe('x full');
    queue.add(waiting('b'));
    queue.remove(queue.filter(({ again, request }) => again || request.samples > 1));
    expect(ids(queue.together(4))).toBe('b');
  });

  it('serves by priority, the late ones last', () => {
    const queue = new RequestQueue(2);
    queue.addLast(waiting('z'));
    queue.add(waiting('b', { priority: 2 }));
    queue.add(waiting('c'));
    queue.add(waiting('a', { priority: 1 }));
    expect(ids(queue.together(100))).toBe('abcz');
    expect(queue.first?.request.outputs).toEqual(['a']);
  });
});
