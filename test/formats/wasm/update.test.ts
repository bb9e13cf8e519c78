import { encodeModule, unsigned } from '../../../src/formats/wasm/module.ts';
import { kindOf, updateFunction } from '../../../src/formats/wasm/update.ts';
import type { FusedUpdate } from '../../../src/graph/passes/split-updates.ts';
import { wasmFunctions, wasmMemory } from '../../../src/runtime/fused/webassembly.ts';

/** y ← -(√y / x - s) · s + x², and z ← x, of 6 numbers. */
const update = (names: readonly [string, string, string, string]): FusedUpdate => {
  const [x, y, z, s] = names;
  return {
    elements: 6,
    vectors: [x, y, z],
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
  run!(x.byteOffset, y.byteOffset, z.byteOffset, s, 32);
  expect([...y]).toEqual(expected);
  expect([...z]).toEqual([...x]);
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
