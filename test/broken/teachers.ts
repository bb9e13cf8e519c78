import { npyBytes } from '../../src/data/readers/numpy/npy.ts';
import { pictureTeacher } from '../support/onnx.ts';
import { IDX, TABLE, WIDE, rest, train } from './files.ts';
import type { Case } from './files.ts';

const vectors = (...shape: [number, number]): Buffer =>
  Buffer.from(
    npyBytes(
      shape,
      Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => 1 + i),
    ),
  );
const PICTURES = Buffer.from(
  npyBytes(
    [40, 4, 4, 2],
    new Uint8Array(1280).map((_, i) => i % 251),
  ),
);
const LABELS = Buffer.from(
  npyBytes(
    [40],
    Int32Array.from({ length: 40 }, (_, i) => i % 3),
  ),
);

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
      'teacher.onnx: gone.onnx: cannot read it: no such file or folder',
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
      'dataset.augment: mixup makes samples without stored answers, received softTargets.store: fp16',
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
      'student.module: gone.js: cannot read it: no such file or folder',
      'Check the path; relative paths in a recipe start at the recipe file.',
    ],
  },
  'a size of its own for a table': {
    recipe: `${TABLE}\nteacher: {onnx: t.onnx, resize: [8, 8]}\n${rest}`,
    files: { 't.onnx': Buffer.from(pictureTeacher({ layout: 'flat' })) },
    message: [
      'teacher.resize: expected pictures, received samples of shape [2]',
      'Remove it: only pictures can be resized.',
    ],
  },
  'a cut without a size': {
    recipe: `${TABLE}\nteacher: {onnx: t.onnx, cutFrom: 8}\n${rest}`,
    message: [
      'r.yaml:2:34 teacher.cutFrom: expected teacher.resize beside it, the size that the teacher sees, received none',
      'Set `teacher.resize` to the height and width of the model, and cutFrom to what it is cut from.',
    ],
  },
  'a cut from less than the size': {
    recipe: `${TABLE}\nteacher: {onnx: t.onnx, resize: [8, 8], cutFrom: 7}\n${rest}`,
    message: [
      'r.yaml:2:50 teacher.cutFrom: expected at least teacher.resize, 8x8, received 7x7',
      'Set `teacher.resize` to the height and width of the model, and cutFrom to what it is cut from.',
    ],
  },
  'channels of its own for pictures of two': {
    recipe: `dataset: {type: npz, train: {samples: x.npy, labels: y.npy}, testFraction: 0.2}\nteacher: {onnx: t.onnx, channels: 3}\n${rest}`,
    files: { 't.onnx': Buffer.from(pictureTeacher()), 'x.npy': PICTURES, 'y.npy': LABELS },
    message: [
      'teacher.channels: expected pictures of 1 or 3 channels, received 2',
      'Remove it: only grey and colour can be converted.',
    ],
  },
  'a size of its own that the teacher does not take': {
    recipe: `${IDX}\nteacher: {onnx: t.onnx, resize: [8, 8], channels: 3}\n${rest}`,
    files: { 't.onnx': Buffer.from(pictureTeacher()) },
    message: [
      't.onnx: its input pixels is [batch, 4, 4, 2], received samples of shape [8, 8, 3]',
      'Use a teacher of this data set, or resize the samples (`dataset.resize`, `dataset.channels`).',
    ],
  },
  'vectors of other classes': {
    recipe: `${TABLE}\nteacher: {onnx: t.onnx, classes: v.npy}\n${rest}`,
    files: { 'd.csv': WIDE, 't.onnx': Buffer.from(pictureTeacher({ layout: 'flat' })), 'v.npy': vectors(5, 3) },
    message: [
      'teacher.classes: expected a vector for each of the 2 classes of the data set, received 5 in v.npy',
      'The classes of the data set: 0, 1.',
    ],
  },
  'vectors of another size': {
    recipe: `${TABLE}\nteacher: {onnx: t.onnx, classes: v.npy}\n${rest}`,
    files: { 'd.csv': WIDE, 't.onnx': Buffer.from(pictureTeacher({ layout: 'flat' })), 'v.npy': vectors(2, 4) },
    message: [
      't.onnx: embeds a sample in 3 numbers, expected 4, as the vectors of v.npy have',
      'Name the output with the embedding as `teacher.output`, and take the vectors from the same model.',
    ],
  },
  'a vector without a direction': {
    recipe: `${TABLE}\nteacher: {onnx: t.onnx, classes: v.npy}\n${rest}`,
    files: {
      ...{ 'd.csv': WIDE, 't.onnx': Buffer.from(pictureTeacher({ layout: 'flat' })) },
      'v.npy': Buffer.from(npyBytes([2, 3], new Float32Array(6))),
    },
    message: [
      'teacher.classes: expected a vector other than zero for 0, received one of length 0 in v.npy',
      'Write the embeddings of the texts or samples that stand for the classes.',
    ],
  },
  'vectors that are not there': {
    recipe: `${TABLE}\nteacher: {onnx: t.onnx, classes: gone.npy}\n${rest}`,
    files: { 'd.csv': WIDE, 't.onnx': Buffer.from(pictureTeacher({ layout: 'flat' })) },
    message: [
      'teacher.classes: gone.npy: cannot read it: no such file or folder',
      'Check the path; relative paths in a recipe start at the recipe file.',
    ],
  },
  'vectors in a file of another kind': {
    recipe: `${TABLE}\nteacher: {onnx: t.onnx, classes: d.csv}\n${rest}`,
    files: { 'd.csv': WIDE, 't.onnx': Buffer.from(pictureTeacher({ layout: 'flat' })) },
    message: [
      'teacher.classes: expected a file ending in .npy, .npz or .safetensors, received d.csv',
      'Write the vectors of the classes with numpy.save, or list the names of the classes.',
    ],
  },
};
