import { divisibleInput } from '../../../src/runtime/fused/divisible.ts';

const vectors = { vectors: ['w', 'g'], rowed: [] };
const update = { elements: 100, row: 100, ...vectors, columns: [], scalars: [], nodes: [], writes: new Map() };

function inputOf(change: object): string | undefined {
  const own = { ...update, ...change };
  const split = { rest: { inputs: new Map() }, updates: [own] } as never;
  return divisibleInput(own, split, { inputs: new Map([['g', { dtype: 'float32', shape: [100] }]]) });
}

it('an update is divided by its gradient, but not where columns of the whole are summed or rows lie apart, or where there are few numbers', () => {
  expect(inputOf({})).toBe('g');
  expect(inputOf({ columns: ['norms'], row: 10 })).toBeUndefined();
  expect(inputOf({ rowed: ['h'], row: 10 })).toBeUndefined();
  expect(inputOf({ elements: 16 })).toBeUndefined();
});
