import { describeTflite } from '../../../src/formats/tflite/describe/describe.ts';
import { readTflite } from '../../../src/formats/tflite/read.ts';
import { writeTflite } from '../../../src/formats/tflite/write.ts';
import { refuses } from '../../support/refuses.ts';
import type { Sketch } from './support.ts';
import { exported, floats, sketch } from './support.ts';

function small(g: Sketch): string {
  const x = g.input('image', floats('batch', 8, 8, 1));
  const y = g.op('Conv2D', [x, g.weights([3, 3, 1, 4])], { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] });
  const pooled = g.op('Mean', [g.op('Relu', [y])], { axes: [1, 2], keepDims: false });
  const logits = g.op('BatchMatMul', [pooled, g.weights([4, 3])], { transposeA: false, transposeB: false });
  return g.op('Softmax', [logits], { axis: 1 });
}

const file = exported(sketch(small), { description: { name: 'small', labels: ['a', 'b', 'c'] } });

describe('a .tflite file', () => {
  it('is the same, byte for byte, after it was read and written', () => {
    const plain = exported(sketch(small));
    expect(Buffer.compare(writeTflite(readTflite(plain)), plain)).toBe(0);
  });

  it('is the same from the same graph', () => {
    expect(Buffer.compare(exported(sketch(small)), exported(sketch(small)))).toBe(0);
  });

  it('aligns constants to 16 bytes', () => {
    const model = readTflite(file);
    const offsets = model.buffers.flatMap(({ data }) =>
      data === undefined ? [] : [data.byteOffset - file.byteOffset],
    );
    expect(offsets.length).toBeGreaterThan(3);
    expect(offsets.every((offset) => offset % 16 === 0)).toBe(true);
  });

  it('stores equal constants once', () => {
    const graph = sketch((g) => {
      const x = g.input('x', floats('batch', 64));
      const [a, b] = [0, 1].map(() => g.constant(floats(64), new Float32Array(64).fill(2.5)));
      return g.op('Multiply', [g.op('Tanh', [g.op('Multiply', [x, a!])]), b!]);
    });
    const model = readTflite(exported(graph));
    expect(model.buffers.filter(({ data }) => data?.length === 256)).toHaveLength(1);
  });

  it('names tensors inside by numbers that are not the name of an input or output', () => {
    const graph = sketch((g) => {
      const x = g.op('Multiply', [g.input('2', floats('batch', 4)), g.weights([4])]);
      return g.op('Tanh', [g.op('Multiply', [g.op('Tanh', [x]), g.weights([4])])]);
    });
    const { tensors } = readTflite(exported(graph)).subgraphs[0]!;
    const names = tensors.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['2', 'y0']));
    expect(new Set(names).size).toBe(names.length);
  });

  it('writes both fields for the operator number, which old and new readers look at', () => {
    const graph = sketch((g) =>
      g.op('BatchMatMul', [g.input('a', floats(2, 3)), g.input('b', floats(3, 2))], {
        transposeA: false,
        transposeB: false,
      }),
    );
    expect(readTflite(exported(graph)).operatorCodes).toEqual([
      expect.objectContaining({ deprecatedBuiltinCode: 126, builtinCode: 126 }),
    ]);
    const gelu = sketch((g) => g.op('Gelu', [g.input('a', floats(2))], { approximate: true }));
    expect(readTflite(exported(gelu)).operatorCodes).toEqual([
      expect.objectContaining({ deprecatedBuiltinCode: 127, builtinCode: 150 }),
    ]);
  });

  it('is described', () => {
    const description = describeTflite(file);
    expect(description).toMatchObject({
      format: 'tflite',
      inputs: [{ name: 'image', dtype: 'float32', shape: [1, 8, 8, 1] }],
      outputs: [{ name: 'y0', dtype: 'float32', shape: [1, 3] }],
      signatures: ['serving_default'],
      operators: { CONV_2D: 1, MEAN: 1, FULLY_CONNECTED: 1, SOFTMAX: 1 },
      macs: 64 * 4 * 9 + 12,
      minimumRuntime: '1.6.0',
      files: ['labels.txt'],
      metadata: { name: 'small' },
    });
    const { constants, names, metadata, other } = description.sizes;
    expect(Object.values(description.sizes).reduce((sum, size) => sum + size, 0)).toBe(file.length);
    expect(Math.min(constants - description.weightBytes, names, metadata, other)).toBeGreaterThan(0);
    expect(constants - description.weightBytes).toBeLessThan(200);
    expect(description.layers[0]).toMatchObject({ op: 'CONV_2D', precision: 'float32', weightBytes: 36 * 4 + 16 });
  });
});

describe('a file that is no sound .tflite', () => {
  it('is refused as such', () => {
    expect(() => readTflite(new Uint8Array(100))).toThrow('not a TFLite file');
    expect(() => readTflite(new Uint8Array())).toThrow('not a TFLite file');
  });

  it('is refused at each length that it may have been cut to', () => {
    const plain = exported(sketch(small));
    const refused = Array.from({ length: plain.length - 1 }, (_, length) =>
      refuses(() => readTflite(plain.subarray(0, length))),
    );
    // The last bytes of the file are those of what was written first: a cut there loses something every time.
    expect(refused).not.toContain(false);
  });

  it('is refused where a tensor has more dimensions than any kernel knows', () => {
    const model = readTflite(file);
    const [main] = model.subgraphs;
    const tensors = main!.tensors.map((tensor) => ({ ...tensor, shapeSignature: new Array<number>(1000).fill(1) }));
    const wide = writeTflite({ ...model, subgraphs: [{ ...main!, tensors }] });
    expect(() => readTflite(wide)).toThrow('has 1000 dimensions');
  });

  it('cannot unfold without end by naming one part many times', () => {
    const tensors = 20_000;
    const model = readTflite(file);
    const [first] = model.subgraphs[0]!.tensors;
    const all = Array.from({ length: tensors }, (_, i) => ({ ...first!, name: `t${i}` }));
    const big = writeTflite({ ...model, subgraphs: [{ ...model.subgraphs[0]!, tensors: all }] });
    // Every entry of the vector made to point at the whole table: depth bounded by the schema, width by the budget.
    expect(refuses(() => readTflite(big))).toBe(false);
    const view = new DataView(big.buffer);
    const [at, length] = longestVector(view);
    const target = at + 4 + view.getUint32(at + 4, true);
    for (let i = 0; i < length; i++) view.setUint32(at + 4 + 4 * i, target - (at + 4 + 4 * i), true);
    const started = performance.now();
    refuses(() => readTflite(big));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

function longestVector(view: DataView): [number, number] {
  for (let at = 0; at < view.byteLength - 4; at += 4) if (view.getUint32(at, true) === 20_000) return [at, 20_000];
  throw new Error('the vector is not there');
}
