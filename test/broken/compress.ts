import { zipSync } from 'fflate';
import { npyBytes } from '../../src/data/readers/numpy/npy.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { tensor } from '../../src/formats/onnx/model.ts';
import type { Model } from '../../src/formats/onnx/model.ts';
import { floats, modelOf } from '../support/onnx-steps.ts';
import type { Step } from '../support/onnx-steps.ts';
import type { CommandCase } from './commands.ts';
import { CSV } from './files.ts';

/** Files that cannot be compressed or quantized, data that do not fit them, and options that are none. */

type Stored = Parameters<typeof modelOf>[1];

const SAME = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
const STORED: Stored = { w: floats(4, 2, 3, 3) };
const CONV: Step = ['Conv', ['x', 'w'], SAME];
const END: readonly Step[] = [
  ['GlobalAveragePool', ['y0']],
  ['Flatten', ['y1'], { axis: 1 }],
];
const COLOUR = { 'm.onnx': model([CONV, ...END], { w: floats(4, 3, 3, 3) }, ['n', 3, 6, 6]) };

function model(
  steps: readonly Step[] = [CONV, ...END],
  stored = STORED,
  dims: readonly (number | string)[] = ['n', 2, 6, 6],
  change: (graph: Model['graph']) => Partial<Model['graph']> = () => ({}),
): Buffer {
  const made = modelOf(dims, stored, steps);
  return Buffer.from(encodeModel({ ...made, graph: { ...made.graph, ...change(made.graph) } }));
}

const samples = (count: number, of: (i: number) => number = (i) => Math.sin(i * i)): Buffer =>
  Buffer.from(
    npyBytes(
      [count, 2, 6, 6],
      Float32Array.from({ length: 72 * count }, (_, i) => of(i)),
    ),
  );
const X = samples(40);
const ODD = samples(40, (i) => (i === 100 ? NaN : Math.sin(i * i)));
const labelled = (labels: readonly number[]): Buffer =>
  Buffer.from(zipSync({ 'x.npy': X, 'y.npy': npyBytes([labels.length], Int32Array.from(labels)) }));

const compress = (...more: string[]): string[] => ['compress', 'm.onnx', '--data', 'x.npy', ...more];
const quantize = (...more: string[]): string[] => ['quantize', 'm.onnx', '--data', 'x.npy', ...more];
const beside = (file: Buffer, x: Buffer = X): Record<string, Buffer> => ({ 'm.onnx': file, 'x.npy': x });

const two = model([CONV, ...END, ['Add', ['y2', 'z']]], STORED, ['n', 2, 6, 6], ({ inputs }) => ({
  inputs: [...inputs, { name: 'z', dtype: 'float32', dims: ['n', 4] }],
}));
const none = model(undefined, undefined, undefined, () => ({ outputs: [] }));
const undefinedOutput = model(undefined, undefined, undefined, () => ({
  outputs: [{ name: 'scores', dtype: 'float32' }],
}));
const spoilt = model(undefined, {
  w: tensor('', 'float32', [4, 2, 3, 3], new Float32Array(72).fill(NaN, 5)),
});
const integers: Stored = {
  w8: tensor('', 'int8', [4, 2, 3, 3], new Int8Array(72).fill(3)),
  s: tensor('', 'float32', [], Float32Array.of(0.1)),
};
const table =
  'dataset: { type: csv, train: d.csv, testFraction: 0.2 }\nteacher: { onnx: m.onnx }\nstudent: { model: mlp }\n';
const CHECK = 'Check the file with onnx.checker, and export the model again.';
const DIVERGED = 'Export a model whose training has not diverged, and check that the file was copied whole.';
const ONLY_CLASSES =
  'Only models that choose a class are compressed, with one number for two classes where a dense layer or a sigmoid gives it; those that give a class to each pixel, or boxes, with a recipe of `task: segmentation` or `task: detection` as --data. `limbeck quantize` takes any; `student: { onnx: … }` in a recipe trains those of other tasks.';

export const compressing: Readonly<Record<string, CommandCase>> = {
  'compress a file of two inputs': {
    args: compress(),
    files: beside(two),
    message: [
      'm.onnx: expected a model of one input to compress, received x, z',
      'Make one input of them, or write a recipe: `student: { onnx: … }` takes several from an .npz archive. `limbeck quantize` takes them too.',
    ],
  },
  'compress a file of two outputs': {
    args: compress(),
    files: beside(
      model(undefined, undefined, undefined, ({ outputs }) => ({
        outputs: [...outputs, { name: 'y1', dtype: 'float32' }],
      })),
    ),
    message: [
      'm.onnx: expected one output, received y, y1',
      'Export the model with its logits as its only output; a detector needs a recipe of `task: detection` as --data. `limbeck quantize` takes several.',
    ],
  },
  'compress a file without an output': {
    args: compress(),
    files: beside(none),
    message: [
      'm.onnx: expected a model with an output, received one without',
      'Export the model with what it answers as an output of its graph.',
    ],
  },
  'compress a file whose output nothing gives': {
    args: compress(),
    files: beside(undefinedOutput),
    message: ['m.onnx: its output scores is given by none of its nodes', CHECK],
  },
  'compress a file with a node that reads what nothing gives': {
    args: compress(),
    files: beside(model([CONV, ['GlobalAveragePool', ['gone']], ['Flatten', ['y1'], { axis: 1 }]])),
    message: ['m.onnx: node node_1 (GlobalAveragePool): it reads gone, which nothing gives', CHECK],
  },
  'compress a file with a filter for other channels': {
    args: compress(),
    files: beside(model([CONV, ...END], { w: floats(4, 5, 3, 3) })),
    message: [
      'm.onnx: node node_0 (Conv): its input [batch, 2, 6, 6] has 2 channels, and its filter [4, 5, 3, 3] is for 5',
      CHECK,
    ],
  },
  'compress a file that answers with pictures': {
    args: compress(),
    files: beside(model([CONV])),
    message: [
      'm.onnx: expected logits [batch, classes] of at least two classes, received y [batch, 4, 6, 6]',
      ONLY_CLASSES,
    ],
  },
  'compress a file of one class': {
    args: compress(),
    files: beside(model(undefined, { w: floats(1, 2, 3, 3) })),
    message: ['m.onnx: expected logits [batch, classes] of at least two classes, received y [batch, 1]', ONLY_CLASSES],
  },
  'compress a file that is quantized already': {
    args: compress(),
    files: beside(model([['DequantizeLinear', ['w8', 's']], ['Conv', ['x', 'y0'], SAME], ['GlobalAveragePool', ['y1']], ['Flatten', ['y2'], { axis: 1 }]], integers)), // prettier-ignore
    message: [
      'm.onnx: is quantized already: node node_0 is a DequantizeLinear',
      'Give the float32 file that it was made from. As a teacher, `teacher: { onnx: … }`, ONNX Runtime runs it as it is.',
    ],
  },
  'compress a file with weights that are no numbers': {
    args: compress(),
    files: beside(spoilt),
    message: ['m.onnx: 67 of the 72 numbers of its weight w are NaN', DIVERGED],
  },
  'compress on samples that are no numbers': {
    args: compress(),
    files: beside(model(), ODD),
    message: [
      'x.npy: sample 1: value 28 is NaN, expected a finite float32 number',
      'Clean the data first; NaN and infinity cannot be trained on.',
    ],
  },
  'compress on a few samples': {
    args: compress(),
    files: beside(model(), samples(9)),
    message: [
      'x.npy: expected at least 10 samples to train, validate and test on, received 9',
      'Give as many as there are: some hundreds at least for a result that can be trusted.',
    ],
  },
  'compress on labels of more classes': {
    args: ['compress', 'm.onnx', '--data', 'x.npz', '--budget', 'latency=1,size=1'],
    files: { 'm.onnx': model(), 'x.npz': labelled(Array.from({ length: 40 }, (_, i) => i % 7)) },
    message: [
      'x.npz: x: sample 4: label 4 is out of range, expected 0 to 3',
      'Train has 4 classes; correct the label, or list all class names as `classes` in the recipe.',
    ],
  },
  'compress on labels of fewer samples': {
    args: ['compress', 'm.onnx', '--data', 'x.npz', '--budget', 'latency=1,size=1'],
    files: { 'm.onnx': model(), 'x.npz': labelled([0, 1, 2]) },
    message: ['x.npz: y: 3 labels for the 40 samples of x.npz: x', 'Save samples and labels of the same split.'],
  },
  'compress on a table': {
    args: ['compress', 'm.onnx', '--data', 'r.yaml', '--budget', 'latency=1,size=1'],
    files: { 'm.onnx': model(), 'd.csv': CSV, 'r.yaml': table },
    message: [
      'm.onnx: its input x is [batch, 2, 6, 6], received samples of shape [2]',
      'Give data whose samples have that shape, as the model was trained on.',
    ],
  },
  'compress with a number of epochs that is none': {
    args: compress('--epochs', '-1'),
    files: beside(model()),
    message: [
      '--epochs: expected a number from 0 to 10000, received -1',
      'It is the number of passes over the data after each cut; with 0 nothing is trained.',
    ],
  },
  'compress with a seed that is none': {
    args: compress('--seed=-1'),
    files: beside(model()),
    message: [
      '--seed: expected a whole number from 0 to 4294967295, received -1',
      'Any will do; equal ones repeat a run.',
    ],
  },
  'compress with a name that is none': {
    args: compress('--name', 'a/b'),
    files: beside(model()),
    message: [
      '--name: expected letters, digits, dot, dash and underscore, received "a/b"',
      'It is the name of a folder in --out.',
    ],
  },
  'compress with means for other channels': {
    args: ['compress', 'm.onnx', '--data', 'p', '--mean', '0.5', '0.5', '--std', '1', '1'],
    files: { ...COLOUR, 'p/a.png': '' },
    message: [
      '--mean: expected one number, or 3 for pictures of 3 channels, received 2',
      'Give what the pictures were normalized with in training.',
    ],
  },
  'compress with a deviation of 0': {
    args: ['compress', 'm.onnx', '--data', 'p', '--mean', '0.5', '--std', '0'],
    files: { ...COLOUR, 'p/a.png': '' },
    message: ['--std: expected numbers > 0, received 0', 'The pictures are divided by it.'],
  },
  'quantize a file with weights that are no numbers': {
    args: quantize(),
    files: beside(spoilt),
    message: ['m.onnx: 67 of the 72 numbers of its weight w are NaN', DIVERGED],
  },
  'quantize with samples that are no numbers': {
    args: quantize(),
    files: beside(model(), ODD),
    message: [
      'x.npy: sample 1: value 28 is NaN, expected a finite float32 number',
      'Clean the data first; NaN and infinity cannot be trained on.',
    ],
  },
  'quantize without a sample': {
    args: quantize(),
    files: beside(model(), samples(0)),
    message: ['x.npy: holds no samples', 'Save some that are as what the model will be fed.'],
  },
  'quantize with a folder': {
    args: ['quantize', 'm.onnx', '--data', 'p'],
    files: { 'm.onnx': model(), 'p/a.png': '' },
    message: [
      '--data: expected a recipe (.yaml) or arrays of inputs (.npy, .npz), received the folder p',
      'Name a recipe whose dataset is `type: image-folder`; `limbeck compress` reads a folder of pictures.',
    ],
  },
  'quantize to a file of another kind': {
    args: quantize('--out', 'a.tflite'),
    files: beside(model()),
    message: [
      '--out: expected a name that ends in .onnx, as --format is onnx, received a.tflite',
      'Name it so, or add --format tflite.',
    ],
  },
};
