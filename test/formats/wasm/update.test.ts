import { encodeModule, unsigned } from '../../../src/formats/wasm/module.ts';
import { kindOf, updateFunction } from '../../../src/formats/wasm/update.ts';
import { RandomStream } from '../../../src/base/random.ts';
import type { FusedUpdate } from '../../../src/graph/passes/step/fused-update.ts';
import { updatePasses } from '../../../src/graph/passes/step/fused-update.ts';
import { wasmFunctions, wasmMemory } from '../../../src/formats/wasm/memory.ts';

/** y ← -(√y / x - s) · s + x², and z ← x, of 6 numbers. */
const update = (names: readonly [string, string, string, string]): FusedUpdate => {
  const [x, y, z, s] = names;
  return {
    elements: 6,
    row: 6,
    vectors: [x, y, z],
    rowed: [],
    columns: [],
    scalars: [s],
    nodes: [
      { op: 'Sqrt', inputs: [y], output: 'a' },
      { op: 'RealDiv', inputs: ['a', x], output: 'b' },
      { op: 'Sub', inputs: ['b', s], output: 'c' },
      { op: 'Neg', inputs: ['c'], output: 'd' },
      { op: 'Multiply', inputs: ['d', s], output: 'e' },
      { op: 'Square', inputs: [x], output: 'f' },
      { op: 'Add', inputs: ['e', 'f'], output: 'g' },
      { op: 'Identity', inputs: [x], output: 'h' },
    ],
    writes: new Map([
      [y, 'g'],
      [z, 'h'],
    ]),
  };
};

it('computes every number as float32 arithmetic does', () => {
  const memory = wasmMemory(1)!;
  const { run } = wasmFunctions(encodeModule([updateFunction('run', update(['x', 'y', 'z', 's']))]), memory);
  const [x, y, z] = [0, 64, 128].map((at) => new Float32Array(memory.buffer, at, 6)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  x.set([1, -2, 0.1, 3e-20, 5, 7]);
  y.set([0, 2, 0.3, 1e30, 1e-40, 11]);
  const s = Math.fround(0.7);
  const f = Math.fround;
  const expected = Array.from(x, (v, i) => f(f(-f(f(f(Math.sqrt(y[i]!)) / v) - s) * s) + f(v * v)));
  run!(x.byteOffset, y.byteOffset, z.byteOffset, s, 32, 32);
  expect([...y]).toEqual(expected);
  expect([...z]).toEqual([...x]);
});

/** w ← (w - g) / max(½, Σ (w - g) of the column), of 3 rows, and a ← min(a, that + a), or with the old w for the second a. */
const inColumns = (waits: boolean): FusedUpdate => ({
  elements: 12,
  row: 4,
  vectors: ['w', 'g', 'a', ...(waits ? ['v'] : [])],
  rowed: [],
  columns: ['sum', 'limit'],
  scalars: ['half'],
  nodes: [
    { op: 'Sub', inputs: ['w', 'g'], output: 'v' },
    { op: 'Sum', inputs: ['v'], output: 'sum' },
    { op: 'Maximum', inputs: ['half', 'sum'], output: 'limit' },
    { op: 'RealDiv', inputs: ['v', 'limit'], output: 'next' },
    { op: 'Add', inputs: ['next', waits ? 'w' : 'a'], output: 'moved' },
    { op: 'Minimum', inputs: ['a', 'moved'], output: 'least' },
  ],
  writes: new Map([
    ['w', 'next'],
    ['a', 'least'],
  ]),
});

it.each([
  ['in a variable', false],
  ['in memory of its own', true],
])('computes what follows from sums of columns in a pass after them; meanwhile a value waits %s', (_where, waits) => {
  const update = inColumns(waits);
  expect(updatePasses({ ...update, vectors: ['w', 'g', 'a'] }).waiting).toEqual(waits ? ['v'] : []);
  const memory = wasmMemory(1)!;
  const { run } = wasmFunctions(encodeModule([updateFunction('run', update)]), memory);
  const random = new RandomStream('columns');
  const places = [...update.vectors, ...update.columns].map((_, i) => new Float32Array(memory.buffer, 64 * i, 12));
  const [w, g, a] = places as [Float32Array, Float32Array, Float32Array];
  for (const place of [w, g, a]) for (let i = 0; i < 12; i++) place[i] = 3 * random.normal();
  const f = Math.fround;
  const v = w.map((value, i) => f(value - g[i]!));
  const sums = [0, 1, 2, 3].map((i) => f(f(v[i]! + v[4 + i]!) + v[8 + i]!));
  const next = v.map((value, i) => f(value / Math.max(0.5, sums[i % 4]!)));
  const least = a.map((value, i) => Math.min(value, f(next[i]! + (waits ? w : a)[i]!)));
  expect(new Set(sums.map((sum) => sum > 0.5))).toEqual(new Set([true, false]));
  run!(...places.map(({ byteOffset }) => byteOffset), 0.5, 48, 16);
  expect([...w]).toEqual([...next]);
  expect([...a]).toEqual([...least]);
});

it('knows updates of one kind by other names', () => {
  expect(kindOf(update(['p', 'q', 'r', 't']))).toBe(kindOf(update(['x', 'y', 'z', 's'])));
  expect(kindOf(update(['x', 'z', 'y', 's']))).toBe(kindOf(update(['x', 'y', 'z', 's'])));
  const other = update(['x', 'y', 'z', 's']);
  expect(kindOf({ ...other, writes: new Map([['y', 'f']]) })).not.toBe(kindOf(other));
});

it('writes numbers as LEB128', () => {
  expect([0, 127, 128, 624485].map(unsigned)).toEqual([[0], [127], [128, 1], [0xe5, 0x8e, 0x26]]);
});
