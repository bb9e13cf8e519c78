import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { pictureTeacher } from '../support/onnx.ts';
import { floats, modelOf, positive } from '../support/onnx-steps.ts';
import type { Step } from '../support/onnx-steps.ts';
import { TABLE, WIDE } from './files.ts';
import type { Case } from './files.ts';

const flat = Buffer.from(pictureTeacher({ layout: 'flat' }));

/** A file for the two columns of `TABLE`: dense layers, and what else is asked. */
const dense = (steps: readonly Step[], stored: Parameters<typeof modelOf>[1]): Buffer =>
  Buffer.from(encodeModel(modelOf(['n', 2], stored, steps)));
const two = dense([['MatMul', ['x', 'w']], ['Relu', ['y0']], ['MatMul', ['y1', 'v']]], { w: floats(2, 4), v: floats(4, 2) }); // prettier-ignore
const NORM = { s: positive(2), o: floats(2), m: floats(2), v: positive(2) };

export const students: Readonly<Record<string, Case>> = {
  'an ONNX student that is not there': {
    recipe: `${TABLE}\nstudent: {onnx: gone.onnx}`,
    message: [
      'student.onnx: gone.onnx: cannot read it: no such file or folder',
      'Check the path; relative paths in a recipe start at the recipe file.',
    ],
  },
  'an ONNX student that is no model': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx}`,
    files: { 'a.onnx': 'not a model' },
    message: [
      'a.onnx: not an ONNX file, or a damaged one (illegal tag: field no 13 wire type 6)',
      'Export the model again and compare the size of the copy with the original.',
    ],
  },
  'an ONNX student for other samples': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx}`,
    files: { 'a.onnx': flat },
    message: [
      'a.onnx: its input pixels is [batch, 32], received samples of shape [2]',
      'Give data whose samples have that shape, as the model was trained on.',
    ],
  },
  'an ONNX student for other classes': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx}`,
    files: { 'd.csv': WIDE, 'a.onnx': flat },
    message: [
      'a.onnx: expected logits [batch, 2] for the 2 classes of the data, received scores [batch, 3]; its last layer BatchMatMul_1 has 3',
      'Give data of the classes of the model, or set `student.head: replace`: the last layer is then drawn anew for these.',
    ],
  },
  'an ONNX student whose channels are to go': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx, head: replace}\nprune: [{type: channels, amount: 0.5}]`,
    files: { 'd.csv': WIDE, 'a.onnx': flat },
    message: [
      'prune: the student a.onnx has no channels that can be removed: its channels are the outputs of the model',
      'Choose a student of convolutions or dense layers, or leave `prune` out.',
    ],
  },
  'what is said of an ONNX student beside a model': {
    recipe: `${TABLE}\nstudent: {model: mlp, head: replace}`,
    message: [
      'r.yaml:2:29 student.head: expected no such key beside model: it belongs to onnx and tfjs, received student.head',
      'Take student.head out.',
    ],
  },
  'an ONNX student with an operator that is not known': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx}`,
    files: {
      'a.onnx': dense(
        [
          ['MatMul', ['x', 'w']],
          ['Softmin', ['y0']],
        ],
        { w: floats(2, 2) },
      ),
    },
    message: [
      'a.onnx: node node_1: the operator Softmin is not known here',
      'Known are 144 operators, among them Softmax: see docs/operators.md.',
    ],
  },
  'an ONNX student that answers with logarithms of probabilities': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx}`,
    files: {
      'a.onnx': dense(
        [
          ['MatMul', ['x', 'w']],
          ['LogSoftmax', ['y0']],
        ],
        { w: floats(2, 2) },
      ),
    },
    message: [
      'a.onnx: expected logits, received a model that ends in node_1 (LogSoftmax)',
      'Export it without that layer; the order of the classes does not change.',
    ],
  },
  'a pattern of frozen weights that fits none': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx, freeze: ['features.*']}`,
    files: { 'a.onnx': two },
    message: ['student.freeze: features.* fits no weight of a.onnx', 'Its weights are w, v.'],
  },
  'a learning rate for weights that are not there': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx, learningRates: {'features.*': 0.1}}`,
    files: { 'a.onnx': two },
    message: ['student.learningRates: features.* fits no weight of a.onnx', 'Its weights are w, v.'],
  },
  'a new head where there is no layer for it': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx, head: replace}`,
    files: { 'a.onnx': dense([['Mul', ['x', 'w']]], { w: floats(2) }) },
    message: [
      'a.onnx: its last layer is node_0 (Multiply), no dense layer or 1×1 convolution with weights of its own',
      'Set `student.head: keep` and let the model have as many outputs as there are classes.',
    ],
  },
  'a new head before a layer that takes no other number': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx, head: replace}`,
    files: {
      'a.onnx': dense(
        [
          ['MatMul', ['x', 'w']],
          ['Mul', ['y0', 'v']],
        ],
        { w: floats(2, 3), v: floats(3) },
      ),
    },
    message: [
      'a.onnx: what follows its last layer node_0 does not take 2 outputs instead of 3: node_1: Multiply: shapes [batch, 2] and [3] do not broadcast',
      'Export the model up to its last dense layer.',
    ],
  },
  'batch norms that the file does not have': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx, batchNorm: frozen}`,
    files: { 'a.onnx': two },
    message: [
      'student.batchNorm: a.onnx has no batch norms: exporters fold them into the layers before them',
      'Take the key out, or export with torch.onnx.export(..., dynamo=False, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False).',
    ],
  },
  'batch norms that share their statistics': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx}`,
    files: {
      'a.onnx': dense(
        [['BatchNormalization', ['x', 's', 'o', 'm', 'v']], ['BatchNormalization', ['y0', 's', 'o', 'm', 'v']], ['MatMul', ['y1', 'w']]], // prettier-ignore
        { ...NORM, w: floats(2, 2) },
      ),
    },
    message: [
      'a.onnx: the batch norms node_0 and node_1 read one running statistic, m',
      'Set `student.batchNorm: frozen`, or take the file as PyTorch exports it, with the name of every statistic: tools that simplify a file store equal values once.',
    ],
  },
  'an ONNX student with nothing to train': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx, freeze: ['*']}`,
    files: { 'a.onnx': two },
    message: [
      'a.onnx: expected a weight to train, received none: all 2 are frozen',
      'Take a pattern out of student.freeze, or take the file as it is: distill.epochs: 0.',
    ],
  },
  'a student whose key is misspelt': {
    recipe: `${TABLE}\nstudent: {modle: cnn}`,
    message: [
      'r.yaml:2:10 student: expected exactly one of model, module, tfjs, onnx, keras, folder, received none of them but modle',
      'Did you mean model?',
    ],
  },
  'an output of the student that is not there': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx, output: scores}`,
    files: { 'a.onnx': two },
    message: ['student.output: a.onnx has no output scores', 'It has: y.'],
  },
  'fisher without a teacher': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx}\nprune: [{type: channels, importance: fisher}]`,
    files: { 'a.onnx': two },
    message: [
      'prune.0.importance: fisher draws classes from the answers of a teacher, received no teacher',
      'Choose taylor, which measures the loss itself.',
    ],
  },
};
