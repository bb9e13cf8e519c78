import { pictureTeacher } from '../support/onnx.ts';
import { TABLE, WIDE } from './files.ts';
import type { Case } from './files.ts';

const flat = Buffer.from(pictureTeacher({ layout: 'flat' }));

export const students: Readonly<Record<string, Case>> = {
  'an ONNX student that is not there': {
    recipe: `${TABLE}\nstudent: {onnx: gone.onnx}`,
    message: [
      'gone.onnx: cannot read it: no such file or folder',
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
      'Set dataset.resize and dataset.channels to what the model takes.',
    ],
  },
  'an ONNX student for other classes': {
    recipe: `${TABLE}\nstudent: {onnx: a.onnx}`,
    files: { 'd.csv': WIDE, 'a.onnx': flat },
    message: [
      'a.onnx: expected logits [batch, 2] for the 2 classes of the data, received scores [batch, 3]; its last layer BatchMatMul_1 has 3',
      'Set `student.head: replace`: the last layer is then drawn anew for these classes.',
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
      'Change student.head, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
};
