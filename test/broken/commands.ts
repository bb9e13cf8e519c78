import { zipSync } from 'fflate';
import { npyBytes } from '../../src/data/readers/numpy/npy.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { floats, ints, modelOf } from '../support/onnx-steps.ts';
import type { Step } from '../support/onnx-steps.ts';
import { rest, TABLE } from './files.ts';
import type { Case } from './files.ts';

/** A command with files beside it, one of which is wrong. */
export interface CommandCase extends Pick<Case, 'files' | 'message'> {
  readonly args: readonly string[];
}

type Stored = Parameters<typeof modelOf>[1];

const SAME = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
const STORED: Stored = { w: floats(4, 2, 3, 3) };
const CONV: Step = ['Conv', ['x', 'w'], SAME];
const END: readonly Step[] = [
  ['GlobalAveragePool', ['y0']],
  ['Flatten', ['y1'], { axis: 1 }],
];

const model = (steps: readonly Step[] = [CONV, ...END], stored = STORED, dims: readonly (number | string)[] = ['n', 2, 6, 6]): Buffer =>
  Buffer.from(encodeModel(modelOf(dims, stored, steps))); // prettier-ignore
const samples = (...shape: number[]): Buffer => {
  const count = shape.reduce((product, size) => product * size, 1);
  return Buffer.from(
    npyBytes(
      shape,
      Float32Array.from({ length: count }, (_, i) => Math.sin(i * i)),
    ),
  );
};

const X = samples(40, 2, 6, 6);
const compress = (...more: string[]): string[] => ['compress', 'm.onnx', '--data', 'x.npy', ...more];
const quantize = (...more: string[]): string[] => ['quantize', 'm.onnx', '--data', 'x.npy', ...more];

export const commands: Readonly<Record<string, CommandCase>> = {
  'a sweep over a key that is none': {
    args: ['sweep', 'r.yaml', '--grid', 'sed=0'],
    files: { 'r.yaml': `${TABLE}\n${rest}` },
    message: ['--grid sed=0: sed: unknown key', 'Did you mean seed?'],
  },
  'export to the file that is read': {
    args: ['export', '--from', 'm.onnx'],
    files: { 'm.onnx': model() },
    message: [
      '--out: expected a name, received none: without one the file would be written over the one that is read, m.onnx',
      'Name the file to write, or choose another --format or --precision.',
    ],
  },
  'evaluate a TFLite file that was cut off': {
    args: ['evaluate', 'm.tflite', '--recipe', 'r.yaml'],
    files: {
      'm.tflite': Buffer.from([64, 0, 0, 0, ...Buffer.from('TFL3'), 0, 0, 0, 0]),
      'r.yaml': 'dataset: { type: csv, train: d.csv, test: d.csv }\nstudent: { model: mlp }\n',
      'd.csv': 'a,label\n1,x\n2,y\n',
    },
    message: [
      'm.tflite: the TFLite file is truncated or damaged: byte 64 + 4 lies outside the 12 bytes of the file',
      'Download or export the file again; if it was made by another program, report it with the file.',
    ],
  },
  'compress without data': {
    args: ['compress', 'm.onnx'],
    files: { 'm.onnx': model() },
    message: [
      'compress: expected --data, received none',
      'Name a recipe, a folder of pictures, or arrays of inputs as the model is fed (.npz, .npy); labels are not needed.',
    ],
  },
  'compress a file with an operator that is not known': {
    args: compress(),
    files: { 'm.onnx': model([CONV, ['Nothing', ['y0']]]), 'x.npy': X },
    message: [
      'm.onnx: node node_1: the operator Nothing is not known here',
      'Known are 144 operators: see docs/operators.md.',
    ],
  },
  'compress a file whose operator has an attribute that is not read': {
    args: compress(),
    files: { 'm.onnx': model([['Conv', ['x', 'w'], { ...SAME, auto_pad: 'SOME' }], ...END]), 'x.npy': X },
    message: [
      'm.onnx: node node_0 (Conv): its attribute auto_pad is SOME, which is not known here',
      'Export the model without it, or quantize it with a tool that knows it.',
    ],
  },
  'compress logarithms of probabilities': {
    args: compress(),
    files: { 'm.onnx': model([CONV, ...END, ['LogSoftmax', ['y2']]]), 'x.npy': X },
    message: [
      'm.onnx: expected logits, received a model that ends in node_3 (LogSoftmax)',
      'Export it without that layer; the order of the classes does not change.',
    ],
  },
  'compress a file whose sizes are open': {
    args: compress(),
    files: { 'm.onnx': model(undefined, undefined, ['n', 2, 'h', 'w']), 'x.npy': X },
    message: [
      'm.onnx: input x: expected a known shape (the batch may stay open), received [n, 2, h, w]',
      'Say them with --shape x=1,2,SIZE,SIZE, or export the model with fixed sizes for everything but the batch.',
    ],
  },
  'compress on samples of another shape': {
    args: compress(),
    files: { 'm.onnx': model(), 'x.npy': samples(40, 6, 6, 2) },
    message: [
      'x.npy: expected an array [samples, 2, 6, 6], as the input x of m.onnx is, received [40, 6, 6, 2]',
      'Save the inputs as the model is fed: layout, size and normalization included.',
    ],
  },
  'compress on samples that are all of one class': {
    args: compress(),
    files: { 'm.onnx': model(), 'x.npy': Buffer.from(npyBytes([40, 2, 6, 6], new Float32Array(2880).fill(1))) },
    message: [
      'm.onnx: gives all 40 samples the class 3',
      'Give samples as the model was trained on: check their normalization (--mean, --std), and that there are several kinds of them.',
    ],
  },
  'compress on an archive without inputs': {
    args: ['compress', 'm.onnx', '--data', 'x.npz'],
    files: { 'm.onnx': model(), 'x.npz': Buffer.from(zipSync({ 'a.npy': X, 'b.npy': X })) },
    message: [
      'x.npz: expected an array x, received a, b',
      "Write it with numpy.savez('samples.npz', x=inputs), with y=labels beside it if they are known.",
    ],
  },
  'compress on a folder without pictures': {
    args: ['compress', 'm.onnx', '--data', 'empty'],
    files: { 'm.onnx': model([['Conv', ['x', 'w'], SAME], ...END], { w: floats(4, 3, 3, 3) }, ['n', 3, 6, 6]) },
    message: ['--data: empty holds no pictures', 'Files that end in .png, .jpg, .jpeg, .webp are read.'],
  },
  'compress to a budget that is none': {
    args: compress('--budget', 'speed=2'),
    files: { 'm.onnx': model(), 'x.npy': X },
    message: [
      '--budget: expected size, latency or drop with a number, received speed=2',
      'For example --budget size=4,latency=2,drop=0.5: four times smaller, twice as fast, half a point lost at most.',
    ],
  },
  'compress to a size twice': {
    args: compress('--budget', 'size=2,size=3'),
    files: { 'm.onnx': model(), 'x.npy': X },
    message: ['--budget: expected size once, received it twice', 'Take one of them out.'],
  },
  'compress with half a normalization': {
    args: compress('--mean', '0.5'),
    files: { 'm.onnx': model(), 'x.npy': X },
    message: [
      '--mean and --std: expected both or neither, received --mean alone',
      'Give what the pictures were normalized with in training.',
    ],
  },
  'quantize without data': {
    args: ['quantize', 'm.onnx'],
    files: { 'm.onnx': model() },
    message: [
      'quantize: expected --data, received none',
      'Name a recipe whose data the model is for, or arrays of inputs as the model is fed (.npz, .npy).',
    ],
  },
  'quantize a file that is quantized already': {
    args: quantize(),
    files: { 'm.onnx': model([['QuantizeLinear', ['x', 'w']], ...END]), 'x.npy': X },
    message: [
      'm.onnx: is quantized already: node node_0 is a QuantizeLinear',
      'Give the float32 file that it was made from. As a teacher, `teacher: { onnx: … }`, ONNX Runtime runs it as it is.',
    ],
  },
  'quantize a file with an operator that is not known': {
    args: quantize(),
    files: { 'm.onnx': model([CONV, ['Convolve', ['y0']]]), 'x.npy': X },
    message: [
      'm.onnx: node node_1: the operator Convolve is not known here',
      'Known are 144 operators: see docs/operators.md.',
    ],
  },
  'quantize a file whose sizes are open': {
    args: quantize(),
    files: { 'm.onnx': model(undefined, undefined, ['n', 2, 'h', 'w']), 'x.npy': X },
    message: [
      'm.onnx: input x: expected a known shape (the batch may stay open), received [n, 2, h, w]',
      'Say them with --shape x=1,2,SIZE,SIZE, or export the model with fixed sizes for everything but the batch.',
    ],
  },
  'a shape that is none': {
    args: quantize('--shape', 'x=1,2,six,six'),
    files: { 'm.onnx': model(undefined, undefined, ['n', 2, 'h', 'w']), 'x.npy': X },
    message: ['--shape: expected NAME=1,3,224,224, received x=1,2,six,six', 'Name the input, then its sizes.'],
  },
  'a shape for an input that is not there': {
    args: quantize('--shape', 'image=1,2,6,6'),
    files: { 'm.onnx': model(undefined, undefined, ['n', 2, 'h', 'w']), 'x.npy': X },
    message: ['m.onnx: a shape is given for image, which is not an input of the model', 'Its inputs are x.'],
  },
  'a shape that does not fit': {
    args: quantize('--shape', 'x=1,3,6,6'),
    files: { 'm.onnx': model(undefined, undefined, ['n', 2, 'h', 'w']), 'x.npy': X },
    message: [
      'm.onnx: input x is [n, 2, h, w], received 3 for its axis 1',
      'The file fixes that size: give 2 there, and sizes of your own for the open ones alone.',
    ],
  },
  'a layer to keep in float that is not there': {
    args: quantize('--keep-float', 'node_7'),
    files: { 'm.onnx': model(), 'x.npy': X },
    message: ['quantize.keepFloat: expected a layer of the model, received node_7', 'Did you mean node_0?'],
  },
  'samples of another shape to quantize with': {
    args: quantize(),
    files: { 'm.onnx': model(), 'x.npy': samples(40, 6, 6, 2) },
    message: [
      'x.npy: expected an array [samples, 2, 6, 6], received [40, 6, 6, 2]',
      'Save the inputs as the model is fed: layout, size and normalization included.',
    ],
  },
  'half a thread': {
    args: ['bench', 'm.onnx', '--threads', '1.5'],
    files: { 'm.onnx': model() },
    message: ['--threads: expected whole numbers > 0, received 1.5', 'Correct --threads.'],
  },
  'half a sample to calibrate with': {
    args: ['export', '--from', 'm.onnx', '--samples', '1.5'],
    files: { 'm.onnx': model() },
    message: [
      '--samples: expected a whole number of 1 or more, received 1.5',
      'Leave it out, or give a whole number of 1 or more.',
    ],
  },
  'an operator set that is not written': {
    args: ['export', '--from', 'm.onnx', '--opset', '9'],
    files: { 'm.onnx': model() },
    message: [
      '--opset: expected a whole number from 17 to 21, received 9',
      'Leave it out: a file has the operator set 17, or a newer one where it needs that.',
    ],
  },
  'a reshape that does not fit': {
    args: quantize(),
    files: {
      'm.onnx': model([CONV, ['Reshape', ['y0', 'to']]], { ...STORED, to: ints(0, 7) }),
      'x.npy': X,
    },
    message: [
      'm.onnx: node node_1 (Reshape): cannot reshape [batch, 4, 6, 6] to [batch, 7]',
      'Check the file with onnx.checker, and export the model again.',
    ],
  },
};
