import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { tensor } from '../../src/formats/onnx/model.ts';
import type { Model, OnnxAttr, OnnxNode, ValueInfo } from '../../src/formats/onnx/model.ts';
import { decodeModel, encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import { buildModel } from '../../src/networks/models/registry.ts';
import { contentOf } from '../../src/networks/network.ts';
import { inferenceGraph } from '../../src/ship/export.ts';

type Attr = number | readonly number[];
/** Op, inputs, output, attributes. */
type Node = readonly [op: string, inputs: readonly string[], output: string, attrs?: Readonly<Record<string, Attr>>];

type Constants = Readonly<
  Record<string, { readonly dims: readonly number[]; readonly values: readonly number[]; readonly isInteger?: boolean }>
>;

interface DetectorFile {
  readonly input: ValueInfo;
  readonly constants?: Constants;
  readonly nodes: readonly Node[];
  readonly outputs: readonly ValueInfo[];
  readonly metadata?: Readonly<Record<string, string>>;
}

const attrOf = (value: Attr): OnnxAttr =>
  typeof value === 'number' ? { type: 'int', value } : { type: 'ints', value };

const nodeOf = ([op, inputs, output, attrs = {}]: Node): OnnxNode => ({
  ...{ op, domain: '', name: '', inputs, outputs: [output] },
  attrs: new Map(Object.entries(attrs).map(([key, value]) => [key, attrOf(value)])),
});

/** File of an untrained det-nano for pictures of `side` pixels. */
export function detectorFile(side: number, classes: number): Uint8Array {
  const shape = { inputShape: [side, side, 3], classes, seed: 1, answersPer: 'point' } as const;
  const network = layersNetwork(buildModel('det-nano', { ...shape, options: { alpha: 0.1, filters: 8 } }));
  return encodeModel(lowerToOnnx(inferenceGraph({ network, weights: contentOf(network) }, [])));
}

/** A file of the outputs `boxes` and `scores` of this project, of pictures of `side` pixels, as a detector of the layout yolov8. */
export function asYolov8(bytes: Uint8Array, side: number, end = 'Sigmoid'): Uint8Array {
  const model = decodeModel(bytes, 'detector.onnx');
  const half = side / 2;
  // From xmin, ymin, xmax, ymax to centre, width and height in pixels.
  const sides = [half, 0, -side, 0, 0, half, 0, -side, half, 0, side, 0, 0, half, 0, side];
  const nodes: readonly Node[] = [
    ['MatMul', ['boxes', 'sides'], 'centred'],
    [end, ['scores'], 'probabilities'],
    ['Concat', ['centred', 'probabilities'], 'rows', { axis: 2 }],
    ['Transpose', ['rows'], 'output0', { perm: [0, 2, 1] }],
  ];
  const graph = {
    ...model.graph,
    nodes: [...model.graph.nodes, ...nodes.map(nodeOf)],
    initializers: [...model.graph.initializers, tensor('sides', 'float32', [4, 4], Float32Array.from(sides))],
    outputs: [{ name: 'output0', dtype: 'float32' as const }],
  };
  return encodeModel({ ...model, graph });
}

/** A file with other names of its outputs. */
export function renamedOutputs(bytes: Uint8Array, names: Readonly<Record<string, string>>): Uint8Array {
  const model = decodeModel(bytes, 'detector.onnx');
  const { nodes, outputs } = model.graph;
  const renamed = Object.entries(names).map(([from, to]) => nodeOf(['Identity', [from], to]));
  const graph = { ...model.graph, nodes: [...nodes, ...renamed], outputs: outputs.map((one) => ({ ...one, name: names[one.name]! })) }; // prettier-ignore
  return encodeModel({ ...model, graph });
}

/** A hand-written ONNX file. */
export function onnxOf({ input, constants = {}, nodes, outputs, metadata = {} }: DetectorFile): Uint8Array {
  const model: Model = {
    ...{ irVersion: 8, opsets: new Map([['', 17]]), producerName: 'test', producerVersion: '', functions: [] },
    metadata: new Map(Object.entries(metadata)),
    graph: {
      ...{ name: 'detector', inputs: [input], outputs, valueInfos: [] },
      initializers: Object.entries(constants).map(([name, { dims, values, isInteger = false }]) =>
        isInteger
          ? tensor(name, 'int64', dims, BigInt64Array.from(values, BigInt))
          : tensor(name, 'float32', dims, Float32Array.from(values)),
      ),
      nodes: nodes.map(nodeOf),
    },
  };
  return encodeModel(model);
}

/** File with outputs [batch, ...dims]: `base`, plus `slope` times the brightness of the picture, 0 to 1. Pictures [batch, 3, side, side]. */
export function brightnessDetector(
  side: number,
  outputs: Readonly<
    Record<
      string,
      { readonly dims: readonly number[]; readonly base: readonly number[]; readonly slope?: readonly number[] }
    >
  >,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = Object.entries(outputs);
  const constants: Constants = Object.fromEntries(
    entries.flatMap(([name, { dims, base, slope = base.map(() => 0) }]) => [
      [`${name}/base`, { dims: [1, ...dims], values: base }] as const,
      [`${name}/slope`, { dims: [1, ...dims], values: slope }] as const,
    ]),
  );
  const shapes: Constants = Object.fromEntries(
    entries.map(([name, { dims }]) => [
      `${name}/shape`,
      { dims: [dims.length + 1], values: [-1, ...dims.map(() => 1)], isInteger: true },
    ]),
  );
  return onnxOf({
    input: { name: 'images', dtype: 'float32', dims: ['batch', 3, side, side] },
    constants: { ...shapes, ...constants },
    nodes: [
      ['ReduceMean', ['images'], 'mean', { axes: [1, 2, 3], keepdims: 1 }],
      ...entries.flatMap(([name]): Node[] => [
        ['Reshape', ['mean', `${name}/shape`], `${name}/brightness`],
        ['Mul', [`${name}/brightness`, `${name}/slope`], `${name}/change`],
        ['Add', [`${name}/base`, `${name}/change`], name],
      ]),
    ],
    outputs: entries.map(([name, { dims }]) => ({ name, dtype: 'float32', dims: ['batch', ...dims] })),
    metadata,
  });
}

/** Detector of a picture [1, side, side] without a batch: a box of one pixel, class 1 and a score of 0.9 for each bright pixel. */
export function pixelDetector(side: number, names: readonly [string, string, string], label = 1): Uint8Array {
  const [boxes, labels, scores] = names;
  return onnxOf({
    input: { name: 'image', dtype: 'float32', dims: [1, side, side] },
    constants: {
      half: { dims: [1], values: [0.5] },
      one: { dims: [1], values: [1] },
      score: { dims: [1], values: [0.9] },
      label: { dims: [1], values: [label], isInteger: true },
      first: { dims: [1], values: [0], isInteger: true },
      second: { dims: [1], values: [1], isInteger: true },
      third: { dims: [1], values: [3], isInteger: true },
      minus: { dims: [1], values: [-1], isInteger: true },
    },
    nodes: [
      ['Greater', ['image', 'half'], 'isBright'],
      ['NonZero', ['isBright'], 'found'],
      ['Slice', ['found', 'second', 'third', 'first'], 'at'],
      ['Cast', ['at'], 'corners', { to: 1 }],
      ['Transpose', ['corners'], 'from', { perm: [1, 0] }],
      ['Add', ['from', 'one'], 'to'],
      ['Concat', ['from', 'to'], boxes, { axis: 1 }],
      ['Shape', ['from'], 'size'],
      ['Slice', ['size', 'first', 'second'], 'count'],
      ['Expand', ['label', 'count'], labels],
      ['Expand', ['score', 'count'], scores],
    ],
    outputs: [
      { name: boxes, dtype: 'float32', dims: ['n', 4] },
      { name: labels, dtype: 'int64', dims: ['n'] },
      { name: scores, dtype: 'float32', dims: ['n'] },
    ],
  });
}
