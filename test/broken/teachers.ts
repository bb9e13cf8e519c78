import { pictureTeacher } from '../support/onnx.ts';
import { IDX, TABLE, WIDE, rest, train } from './files.ts';
import type { Case } from './files.ts';

export const teachers: Readonly<Record<string, Case>> = {
  'a teacher of other classes': {
    recipe: `${TABLE}\nteacher: {onnx: t.onnx}\n${rest}`,
    files: { 'd.csv': WIDE, 't.onnx': Buffer.from(pictureTeacher({ layout: 'flat' })) },
    message: [
      't.onnx: expected answers for the 2 classes of the data set, received 3',
      'Name the right output with `teacher.output`, or use a teacher of this data set.',
    ],
  },
  'a teacher that is not there': {
    recipe: `${IDX}\nteacher: {onnx: gone.onnx}\n${rest}`,
    message: [
      'gone.onnx: cannot read it: no such file or folder',
      'Check the path; relative paths in a recipe start at the recipe file.',
    ],
  },
  'a teacher that is no model': {
    recipe: `${IDX}\nteacher: {onnx: d.csv}\n${rest}`,
    message: [
      'd.csv: not an ONNX file, or a damaged one (ir_version has wire type 2 instead of 0)',
      'Export the model again and compare the size of the copy with the original.',
    ],
  },
  'a teacher of another input shape': {
    recipe: `${IDX}\nteacher: {onnx: t.onnx}\n${rest}`,
    files: { 't.onnx': Buffer.from(pictureTeacher()) },
    message: [
      't.onnx: its input pixels is [batch, 4, 4, 2], received samples of shape [4, 4, 1]',
      'Use a teacher of this data set, or resize the samples (`dataset.resize`, `dataset.channels`).',
    ],
  },
  'a teacher of another table': {
    recipe: `${TABLE}\nteacher: {onnx: t.onnx}\n${rest}`,
    files: { 't.onnx': Buffer.from(pictureTeacher({ layout: 'flat' })) },
    message: [
      't.onnx: its input pixels is [batch, 32], received samples of shape [2]',
      'Use a teacher of this data set, or resize the samples (`dataset.resize`, `dataset.channels`).',
    ],
  },
  'a tfjs teacher that is no model': {
    recipe: `${TABLE}\nteacher: {tfjs: m.json}\n${rest}`,
    files: { 'm.json': '{}' },
    message: [
      'm.json: expected a tfjs layers model, received JSON without modelTopology and weightsManifest',
      'Name the model.json that model.save() of tfjs-layers wrote.',
    ],
  },
  'stored logits that are none': {
    recipe: `${TABLE}\nteacher: {logits: d.csv}\n${rest}`,
    message: [
      'd.csv: not a valid safetensors file: the header is said to have 7305508662777359000 bytes, the file has 344',
      'Get the file again, or remove it.',
    ],
  },
  'stored logits of NumPy that are none': {
    recipe: `${TABLE}\nteacher: {logits: l.npy}\n${rest}`,
    files: { 'l.npy': 'a,b\n1,2\n3,4\n' },
    message: [
      'l.npy: not a NumPy array: it starts with 61 2c 62 0a 31 2c, expected 93 4e 55 4d 50 59',
      'Write it with numpy.save or numpy.savez.',
    ],
  },
  'mixup with stored answers': {
    recipe: `dataset: {type: csv, train: d.csv, testFraction: 0.2, augment: [{mixup: 0.2}]}\n${train}${rest}`,
    message: [
      'dataset.augment: mixup makes samples that no stored answer is for, received softTargets.store: fp16',
      'Set distill.softTargets.store to live.',
    ],
  },
  'a feature loss without features': {
    recipe: `${TABLE}\n${train}student: {model: mlp}\ndistill: {loss: hint, softTargets: {store: live}}`,
    message: [
      'r.yaml:4:10 distill.features: expected a list, received nothing',
      'Add distill.features. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'a module that is not there': {
    recipe: `${TABLE}\nstudent: {module: gone.js}`,
    message: [
      'student.module: cannot load gone.js: no such file',
      'Check the path; relative paths in a recipe start at the recipe file.',
    ],
  },
};
