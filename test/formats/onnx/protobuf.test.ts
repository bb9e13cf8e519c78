import { RandomStream } from '../../../src/base/random.ts';
import { UserError } from '../../../src/base/errors.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { byteLength, dataTypes, tensorData } from '../../../src/formats/onnx/model.ts';
import type { Model, OnnxAttr, OnnxDType, OnnxGraph, OnnxTensor } from '../../../src/formats/onnx/model.ts';
import { decodeModel, encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { Writer } from '../../support/wire.ts';

const emptyGraph: OnnxGraph = { name: 'empty', nodes: [], initializers: [], inputs: [], outputs: [], valueInfos: [] };

function modelOf(graph: Partial<OnnxGraph>, rest: Partial<Model> = {}): Model {
  return {
    irVersion: 8,
    opsets: new Map([['', 17]]),
    producerName: 'limbeck',
    producerVersion: '1',
    graph: { ...emptyGraph, ...graph },
    metadata: new Map(),
    functions: [],
    ...rest,
  };
}

const float = (dims: number[], values: number[]): OnnxTensor => {
  const data = Float32Array.from(values);
  return { name: 'f', dtype: 'float32', dims, raw: new Uint8Array(data.buffer) };
};

/** A model with one of everything. */
function everything(): Model {
  const attrs: [string, OnnxAttr][] = [
    ['float', { type: 'float', value: -1.5 }],
    ['int', { type: 'int', value: -7 }],
    ['big', { type: 'int', value: -0x7fffffffffffffffn }],
    ['string', { type: 'string', value: 'äöü ✓' }],
    ['empty', { type: 'string', value: '' }],
    ['tensor', { type: 'tensor', value: float([2], [1, 2]) }],
    ['floats', { type: 'floats', value: [0.5, -0.25, Infinity] }],
    ['ints', { type: 'ints', value: [0, -1, 127, 128, 300, 2 ** 40, 0x7fffffffffffffffn] }],
    ['none', { type: 'ints', value: [] }],
    ['strings', { type: 'strings', value: ['a', '', 'c'] }],
    ['tensors', { type: 'tensors', value: [float([], [3]), float([0], [])] }],
    ['graph', { type: 'graph', value: { ...emptyGraph, name: 'then' } }],
    ['graphs', { type: 'graphs', value: [emptyGraph, { ...emptyGraph, name: 'b' }] }],
    ['reference', { type: 'reference', value: 'outer', attrType: 1 }],
  ];
  const dtypes = Object.keys(dataTypes).filter((dtype) => dtype !== 'string') as OnnxDType[];
  const initializers = dtypes.map((dtype): OnnxTensor => ({
    name: dtype,
    dtype,
    dims: [3, 5],
    raw: Uint8Array.from({ length: byteLength(dtype, 15) }, (_, i) => i + 1),
  }));
  initializers.push({ name: 's', dtype: 'string', dims: [2], raw: new Uint8Array(0), strings: ['x', 'yz'] });
  return modelOf(
    {
      nodes: [
        {
          op: 'Op',
          domain: 'com.example',
          name: 'n',
          inputs: ['a', '', 'b'],
          outputs: ['y', ''],
          attrs: new Map(attrs),
        },
      ],
      initializers,
      inputs: [
        { name: 'a', dtype: 'float32', dims: ['batch', 3, null, 0] },
        { name: 'scalar', dtype: 'int64', dims: [] },
        { name: 'unranked', dtype: 'bool' },
        { name: 'untyped' },
      ],
      outputs: [{ name: 'y', dtype: 'bfloat16', dims: [1] }],
      valueInfos: [{ name: 'seq', otherType: new Writer().message(4, (w) => w.message(1, () => undefined)).finish() }],
    },
    {
      opsets: new Map([
        ['', 17],
        ['com.example', 3],
      ]),
      metadata: new Map([
        ['key', 'value'],
        ['', 'no key'],
      ]),
      functions: [{ name: 'F', domain: 'local', bytes: new Writer().string(1, 'F').string(10, 'local').finish() }],
    },
  );
}

describe('the ONNX file format', () => {
  it('reads back everything that it writes', () => {
    const model = everything();
    expect(decodeModel(encodeModel(model), 'm.onnx')).toEqual(model);
  });

  it('writes the same bytes for the same model', () => {
    expect(encodeModel(everything())).toEqual(encodeModel(everything()));
    const bytes = encodeModel(everything());
    expect(encodeModel(decodeModel(bytes, 'm.onnx'))).toEqual(bytes);
  });

  it('reads back random models', () => {
    for (let seed = 0; seed < 200; seed++) {
      const model = randomModel(new RandomStream(seed));
      expect(decodeModel(encodeModel(model), 'm.onnx')).toEqual(model);
    }
  });

  it('views stored values where they lie in the file', () => {
    const model = modelOf({ initializers: [float([1000], new Array<number>(1000).fill(2))] });
    const bytes = encodeModel(model);
    const [tensor] = decodeModel(bytes, 'm.onnx').graph.initializers;
    expect(tensor!.raw.buffer).toBe(bytes.buffer);
    expect(tensorData(tensor!)).toEqual(new Float32Array(1000).fill(2));
  });

  it('reads values from the typed fields that older writers use', () => {
    const of = (dtype: OnnxDType, fill: (w: Writer) => void): unknown => {
      const bytes = new Writer()
        .int(1, 3)
        .message(7, (g) => g.message(5, (t) => fill(t.packedInts(1, [2]).int(2, dataTypes[dtype]))))
        .message(8, (o) => o.int(2, 9))
        .finish();
      return tensorData(decodeModel(bytes, 'm.onnx').graph.initializers[0]!);
    };
    expect(of('float32', (w) => w.packedFloats(4, [1.5, -2]))).toEqual(Float32Array.of(1.5, -2));
    expect(of('float32', (w) => w.float(4, 1.5).float(4, -2))).toEqual(Float32Array.of(1.5, -2));
    expect(of('int32', (w) => w.packedInts(5, [-1, 70000]))).toEqual(Int32Array.of(-1, 70000));
    expect(of('int8', (w) => w.packedInts(5, [-1, 7]))).toEqual(Int8Array.of(-1, 7));
    expect(of('bool', (w) => w.packedInts(5, [1, 0]))).toEqual(Uint8Array.of(1, 0));
    expect(of('float16', (w) => w.packedInts(5, [0x3c00, 0xc000]))).toEqual(Uint16Array.of(0x3c00, 0xc000));
    expect(of('int64', (w) => w.packedInts(7, [-1, 2 ** 40]))).toEqual(BigInt64Array.of(-1n, 2n ** 40n));
  });

  it('skips fields that it does not know', () => {
    const bytes = new Writer()
      .string(99, 'new')
      .int(1, 8)
      .message(7, (g) => g.int(77, 5).string(2, 'g').float(78, 1))
      .message(8, (o) => o.int(2, 17))
      .finish();
    expect(decodeModel(bytes, 'm.onnx').graph.name).toBe('g');
  });
});

describe('a bad file', () => {
  const good = encodeModel(everything());

  it.each([
    ['empty', new Uint8Array(0)],
    ['text', new TextEncoder().encode('{"format": "something else", "version": 1}')],
    ['zip', Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0)],
    ['without a graph', new Writer().int(1, 8).finish()],
  ])('%s is refused', (_, bytes) => {
    expect(() => decodeModel(bytes, 'teacher.onnx')).toThrow(UserError);
    expect(() => decodeModel(bytes, 'teacher.onnx')).toThrow(/teacher\.onnx: not an ONNX file/);
  });

  it('cut off anywhere is refused, or read where the cut is between two parts', () => {
    for (let length = 0; length < good.length; length++) readOrRefuse(good.slice(0, length));
    expect(() => decodeModel(good.slice(0, good.length >> 1), 'm.onnx')).toThrow(/truncated/);
  });

  it('with values in another file is refused with the name of that file', () => {
    const bytes = new Writer()
      .message(7, (g) =>
        g.message(5, (t) =>
          t
            .packedInts(1, [2])
            .int(2, 1)
            .message(13, (e) => e.string(1, 'location').string(2, 'weights.bin'))
            .int(14, 1),
        ),
      )
      .message(8, (o) => o.int(2, 17))
      .finish();
    expect(() => decodeModel(bytes, 'm.onnx')).toThrow('m.onnx: its weights are in another file (weights.bin)');
  });

  it('with a tensor that claims more than it holds is refused without allocating it', () => {
    const huge = modelOf({ initializers: [{ name: 'w', dtype: 'float32', dims: [2 ** 28], raw: new Uint8Array(8) }] });
    expect(() => decodeModel(encodeModel(huge), 'm.onnx')).toThrow('tensor w holds 8 of');
    const negative = modelOf({ initializers: [{ name: 'w', dtype: 'float32', dims: [-2], raw: new Uint8Array(8) }] });
    expect(() => decodeModel(encodeModel(negative), 'm.onnx')).toThrow('shape [-2]');
  });

  it('nested without end is refused', () => {
    let graph: Uint8Array = new Writer().string(2, 'g').finish();
    for (let i = 0; i < 2000; i++) {
      const inner = graph;
      graph = new Writer()
        .message(1, (n) => n.message(5, (a) => a.string(1, 'body').bytes(6, inner).int(20, 5)))
        .finish();
    }
    const bytes = new Writer()
      .bytes(7, graph)
      .message(8, (o) => o.int(2, 17))
      .finish();
    expect(() => decodeModel(bytes, 'm.onnx')).toThrow(/nested too deeply/);
  });

  it('with bytes changed is read or refused, in any of 5,000 ways, and never hangs or crashes', () => {
    const random = new RandomStream('mutations');
    const start = performance.now();
    for (let i = 0; i < 5000; i++) {
      const bytes = good.slice();
      for (let n = random.below(4); n >= 0; n--) bytes[random.below(bytes.length)] = random.below(256);
      readOrRefuse(bytes);
    }
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

function readOrRefuse(bytes: Uint8Array): void {
  try {
    decodeModel(bytes, 'm.onnx');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
}

function randomModel(random: RandomStream): Model {
  const word = (): string =>
    Array.from({ length: random.below(300) }, () => String.fromCodePoint(97 + random.below(26))).join('');
  const integer = (): number => Math.floor((random.uniform() - 0.5) * 2 ** random.below(53));
  const list = <T>(make: () => T): T[] => Array.from({ length: random.below(5) }, make);
  const attr = (): OnnxAttr =>
    [
      { type: 'int', value: integer() } as const,
      { type: 'ints', value: list(integer) } as const,
      { type: 'float', value: Math.fround(random.normal()) } as const,
      { type: 'string', value: word() } as const,
    ][random.below(4)]!;
  return modelOf({
    name: word(),
    nodes: list(() => ({
      op: word(),
      domain: '',
      name: word(),
      inputs: list(word),
      outputs: list(word),
      attrs: new Map(list(() => [word(), attr()] as const)),
    })),
    initializers: list(() => {
      const count = random.below(100);
      return {
        name: word(),
        dtype: 'uint8',
        dims: [count],
        raw: Uint8Array.from({ length: count }, () => random.below(256)),
      };
    }),
  });
}

it('lowering the same graph twice gives the same bytes', () => {
  const bytes = (): Uint8Array => {
    const b = new GraphBuilder();
    const x = b.input('x', { dtype: 'float32', shape: ['batch', 4, 4, 2] });
    const w = b.constant({ dtype: 'float32', shape: [3, 3, 2, 3] }, new Float32Array(54).fill(0.5), 'w');
    b.output('y', b.op('Conv2D', [x, w], { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] }));
    return encodeModel(lowerToOnnx(b.build()));
  };
  expect(bytes()).toEqual(bytes());
});
