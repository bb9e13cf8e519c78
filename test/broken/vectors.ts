import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { floats, modelOf } from '../support/onnx-steps.ts';
import type { Step } from '../support/onnx-steps.ts';
import type { CommandCase } from './commands.ts';
import { CSV, IDX, rest, TABLE } from './files.ts';
import type { Case } from './files.ts';

/** A recipe of vectors of 4 numbers of a table of two columns. */
const data = (more = '', dimensions = '4'): string =>
  `dataset: {type: csv, task: embedding, train: d.csv, testFraction: 0.2, dimensions: ${dimensions}${more}}\n`;
const TAUGHT = 'teacher: {onnx: t.onnx}\n';

/** Files of models that take two numbers: one dense layer to `width` numbers, and further steps. */
const model = (width: number, steps: readonly Step[] = [], weights = floats(2, width)): Buffer =>
  Buffer.from(encodeModel(modelOf(['n', 2], { w: weights }, [['MatMul', ['x', 'w']], ...steps])));
const FILES = { 'd.csv': CSV, 't.onnx': model(6) };

/** Recipes of the task embedding. */
export const vectorRecipes: Readonly<Record<string, Case>> = {
  'vectors without numbers': {
    recipe: data('', '0') + rest,
    message: [
      'r.yaml:1:84 dataset.dimensions: expected a number ≥ 2, received 0',
      'Change dataset.dimensions, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'vectors of a number that is a word': {
    recipe: data('', 'many') + rest,
    message: [
      'r.yaml:1:84 dataset.dimensions: expected a number, received "many"',
      'Change dataset.dimensions, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'vectors that no file holds': {
    recipe: data('', '1e7') + rest,
    message: [
      'r.yaml:1:84 dataset.dimensions: expected a number ≤ 4096, received 10000000',
      'Change dataset.dimensions, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'prefixes as long as the vector': {
    recipe: data(', prefixes: [2, 4]') + rest,
    message: [
      'dataset.prefixes: expected ascending numbers below dataset.dimensions (4), received 2, 4',
      'Leave 4 out, or put the numbers in order; the whole vector is trained too.',
    ],
  },
  'prefixes that fall': {
    recipe: data(', prefixes: [3, 2]') + rest,
    message: [
      'dataset.prefixes: expected ascending numbers below dataset.dimensions (4), received 3, 2',
      'Leave 2 out, or put the numbers in order; the whole vector is trained too.',
    ],
  },
  'prefixes that are one number': {
    recipe: data(', prefixes: 2') + rest,
    message: [
      'r.yaml:1:97 dataset.prefixes: expected a list, received 2',
      'Change dataset.prefixes, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'classes beside one another in data without labels': {
    recipe: data(', labelled: 0, perClass: 2') + TAUGHT + rest,
    message: [
      'r.yaml:1:110 dataset.perClass: expected none beside labelled: 0: samples of a class are known by labels, received 2',
      'Change dataset.perClass, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'one sample of a class beside itself': {
    recipe: data(', perClass: 1') + rest,
    message: [
      'r.yaml:1:97 dataset.perClass: expected a number ≥ 2, received 1',
      'Change dataset.perClass, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'prefixes of an answer that is no vector': {
    recipe: `${TABLE.replace('}', ', prefixes: [2]}')}\n${rest}`,
    message: [
      'r.yaml:1:67 dataset.prefixes: expected no such key for classification: it belongs to embedding, received 2',
      'Take dataset.prefixes out.',
    ],
  },
  'dimensions of an answer that is no vector': {
    recipe: `${TABLE.replace('}', ', dimensions: 4}')}\n${rest}`,
    message: [
      'r.yaml:1:69 dataset.dimensions: expected no such key for classification: it belongs to embedding, received 4',
      'Take dataset.dimensions out.',
    ],
  },
  'a loss of classes for vectors': {
    recipe: `${data()}${TAUGHT}student: {model: mlp}\ndistill: {loss: kd}\n`,
    files: FILES,
    message: [
      'r.yaml:4:17 distill.loss: expected a loss for embedding: mse or cosine or similarity or hint or rkd or sp, received kd',
      'Change distill.loss, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'a queue of a loss that has none': {
    recipe: `${data()}${TAUGHT}student: {model: mlp}\ndistill: {loss: cosine, queue: 64}\n`,
    files: FILES,
    message: [
      'r.yaml:4:25 distill.queue: not read beside loss: cosine',
      'Take it out: it belongs to loss: similarity.',
    ],
  },
  'a queue of less than no vector': {
    recipe: `${data()}${TAUGHT}student: {model: mlp}\ndistill: {loss: similarity, queue: -1}\n`,
    files: FILES,
    message: [
      'r.yaml:4:36 distill.queue: expected a number ≥ 0, received -1',
      'Change distill.queue, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'a margin of more than half a turn': {
    recipe: `${data()}student: {model: mlp}\ndistill: {arcface: 4}\n`,
    message: [
      'r.yaml:3:20 distill.arcface: expected a number < 1.5, received 4',
      'Change distill.arcface, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'a margin for classes': {
    recipe: `${TABLE}\nstudent: {model: mlp}\ndistill: {arcface: 0.5}\n`,
    message: [
      'r.yaml:3:20 distill.arcface: expected no such key for classification: it belongs to embedding, received 0.5',
      'Take distill.arcface out.',
    ],
  },
  'a margin without labels': {
    recipe: `${data(', labelled: 0')}${TAUGHT}student: {model: mlp}\ndistill: {arcface: 0.5}\n`,
    files: FILES,
    message: [
      'r.yaml:4:20 distill.arcface: expected none beside labelled: 0: it learns from labels, received 0.5',
      'Change distill.arcface, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'no labels and no teacher': {
    recipe: data(', labelled: 0') + rest,
    message: [
      'dataset.labelled: 0: expected a teacher that answers for samples without a label, received none',
      'Name a teacher, or leave it out.',
    ],
  },
  'samples in parts where a batch is compared': {
    recipe: `${data()}student: {model: mlp}\ndistill: {microBatch: 4}\n`,
    message: [
      'r.yaml:3:23 distill.microBatch: expected a loss that is a sum over samples, of which parts of a batch can be computed one after another, received the contrast of labelled samples',
      'Take it out and lower batchSize, or choose another loss.',
    ],
  },
  'mixed pictures for vectors': {
    recipe: `${IDX.replace('type: idx', 'type: idx, task: embedding, augment: [{mixup: 1}]')}\n${rest}`,
    message: [
      'r.yaml:1:50 dataset.augment[0]: expected another change for embedding, whose targets mixup does not mix, received mixup',
      'Change dataset.augment[0], or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'probabilities of vectors': {
    recipe: `${data()}${rest}outputs: probabilities\n`,
    message: [
      'r.yaml:4:10 outputs: expected logits for embedding, received probabilities',
      'Change outputs, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'a teacher with fewer numbers than the vectors': {
    recipe: `${data()}${TAUGHT}${rest}`,
    files: { ...FILES, 't.onnx': model(3) },
    message: [
      'dataset.dimensions: expected at most 3, the numbers of a vector of t.onnx, received 4',
      'Set `dataset.dimensions: 3` or less.',
    ],
  },
  'a tensor that the teacher lacks': {
    recipe: `${data()}teacher: {onnx: t.onnx, output: pooled}\n${rest}`,
    files: FILES,
    message: ['teacher.output: the file has no tensor pooled', 'Run `limbeck inspect` on the file to see its tensors.'],
  },
  'pooling by a rule that nobody knows': {
    recipe: `${data()}teacher: {onnx: t.onnx, pooling: max}\n${rest}`,
    files: FILES,
    message: [
      'r.yaml:2:34 teacher.pooling: expected one of mean, cls, received "max"',
      'Change teacher.pooling, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'a teacher that gives every sample the same vector': {
    recipe: `${data('', '2')}${TAUGHT}${rest}`,
    files: {
      ...FILES,
      't.onnx': model(6, [
        ['Sub', ['y0', 'y0']],
        ['Exp', ['y1']],
      ]),
    },
    message: [
      't.onnx: gives the same answer to 3 different samples',
      'Its weights may be missing from the file, or its input range may be wrong (`teacher.normalize`).',
    ],
  },
  'a teacher whose vectors are not numbers': {
    recipe: `${data('', '2')}${TAUGHT}${rest}`,
    files: { ...FILES, 't.onnx': model(6, [['Log', ['y0']]]) },
    message: [
      't.onnx: some of its answers are not finite numbers',
      'Check its normalization (`teacher.normalize`), and whether its weights hold NaN.',
    ],
  },
  'a teacher of other columns': {
    recipe: `${data()}${TAUGHT}${rest}`,
    files: { ...FILES, 'd.csv': CSV.replace('a,b', 'a,b,c').replace(/^(\d+,\d+)/gm, '$1,1') },
    message: [
      't.onnx: its input x is [n, 2], received samples of shape [3]',
      'Use a teacher of this data set, or resize the samples (`dataset.resize`, `dataset.channels`).',
    ],
  },
  'classes named for a teacher of vectors': {
    recipe: `${data()}teacher: {onnx: t.onnx, classes: [yes, no]}\n${rest}`,
    files: FILES,
    message: [
      'r.yaml:2:34 teacher.classes: expected no such key for embedding: it belongs to classification, received yes,no',
      'Take teacher.classes out.',
    ],
  },
  'a student file of vectors of another size': {
    recipe: `${data()}student: {onnx: t.onnx}\ndistill: {epochs: 1}\n`,
    files: FILES,
    message: [
      't.onnx: expected an output [batch, 4] for the 4 numbers of an answer, received y [batch, 6]; its last layer node_0 has 6',
      'Give data of as many numbers as the model answers with (of vectors `dataset.dimensions`), or set `student.head: replace`: the last layer is then drawn anew for these.',
    ],
  },
  'logits of a file for vectors': {
    recipe: `${data()}teacher: {logits: l.npy}\n${rest}`,
    files: { ...FILES, 'l.npy': Buffer.from('none') },
    message: [
      'l.npy: not a NumPy array: it starts with 6e 6f 6e 65, expected 93 4e 55 4d 50 59',
      'Write it with numpy.save or numpy.savez.',
    ],
  },
};

const PAIRS = 'a,b,score\nmy card,new card,4.2\npin,lost,1\nmy pin,new pin,5\ncard,lost,3.5\nnew,my,0.3\n';
/** A recipe of pairs of texts with a similarity. */
const pairs = (more = '', text = 'text: {column: [a, b], length: 8}'): string =>
  `dataset: {type: csv, task: sentence-similarity, train: p.csv, validation: p.csv, label: score, ${text}${more}}\n`;
const BAG = 'student: {model: embedding-bag}\n';
const CHANGE = (key: string): string =>
  `Change ${key}, or leave it out if it has a default. Run \`limbeck schema\` to see every key with its meaning.`;

/** Recipes of the task sentence-similarity. */
export const pairRecipes: Readonly<Record<string, Case>> = {
  'pairs of which a batch holds a half': {
    recipe: `${pairs()}${BAG}distill: {batchSize: 7}\n`,
    message: [
      'r.yaml:3:22 distill.batchSize: expected an even number for sentence-similarity, whose batches hold both texts of a pair, received 7',
      CHANGE('distill.batchSize'),
    ],
  },
  'pairs of one text': {
    recipe: pairs('', 'text: {column: a}') + BAG,
    message: [
      'r.yaml:1:111 dataset.text.column: expected the two columns of the texts of a pair for sentence-similarity, received a',
      CHANGE('dataset.text.column'),
    ],
  },
  'pairs of numbers': {
    recipe: pairs('', 'ignore: [a]') + rest,
    message: [
      'r.yaml:1:10 dataset.text.column: expected the two columns of the texts of a pair for sentence-similarity, received nothing',
      'Add dataset.text.column. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'a margin of pairs': {
    recipe: `${pairs()}${BAG}distill: {arcface: 0.5}\n`,
    message: [
      'r.yaml:3:20 distill.arcface: expected no such key for sentence-similarity: it belongs to embedding, received 0.5',
      'Take distill.arcface out.',
    ],
  },
  'classes of pairs beside one another': {
    recipe: pairs(', perClass: 2') + BAG,
    message: [
      'r.yaml:1:141 dataset.perClass: expected no such key for sentence-similarity: it belongs to embedding, received 2',
      'Take dataset.perClass out.',
    ],
  },
  'a loss of pairs for classes': {
    recipe: `${TABLE}\nstudent: {model: mlp}\ndistill: {pairLoss: mse}\n`,
    message: [
      'r.yaml:3:21 distill.pairLoss: expected no such key for classification: it belongs to sentence-similarity, received mse',
      'Take distill.pairLoss out.',
    ],
  },
  'a loss of pairs that nobody knows': {
    recipe: `${pairs()}${BAG}distill: {pairLoss: angle}\n`,
    message: [
      'r.yaml:3:21 distill.pairLoss: expected one of cosent, mse, received "angle"',
      CHANGE('distill.pairLoss'),
    ],
  },
  'parts of a batch of pairs': {
    recipe: `${pairs()}${BAG}distill: {microBatch: 4}\n`,
    message: [
      'r.yaml:3:23 distill.microBatch: expected a loss that is a sum over samples, of which parts of a batch can be computed one after another, received the similarities of pairs',
      'Take it out and lower batchSize, or choose another loss.',
    ],
  },
  'similarities that no cosine has': {
    recipe: `${pairs()}${BAG}distill: {pairLoss: mse}\n`,
    files: { 'p.csv': PAIRS },
    message: [
      'pairLoss: mse: expected similarities from -1 to 1, as cosines are, received 5',
      'Divide them by the largest one in the files, or leave pairLoss out: cosent reads their order alone.',
    ],
  },
  'a similarity that is a word': {
    recipe: pairs() + BAG,
    files: { 'p.csv': PAIRS.replace('4.2', 'high') },
    message: [
      'p.csv:2: the label is "high", expected a finite float32 number',
      'Correct the value or remove the sample; words are classes, for which `task` is classification.',
    ],
  },
  'a pair to score with one text': {
    recipe: pairs() + BAG,
    files: { 'p.csv': PAIRS.replace('lost,1', ',1') },
    message: [
      'p.csv:3: column "b": the text is empty',
      'Remove it, or set `missing: drop` to leave out samples without a text.',
    ],
  },
  'a pair to score without a similarity': {
    recipe: pairs(', unlabelled: p.csv') + BAG,
    files: { 'p.csv': PAIRS.replace(',1\n', ',\n') },
    message: [
      'p.csv:3: the label is empty, in a split that models are scored on',
      'Models are scored by the labels of validation and test. Give it a label, or move it to the files under `unlabelled`.',
    ],
  },
  'pairs without their column': {
    recipe: pairs() + BAG,
    files: { 'p.csv': PAIRS.replace('a,b,', 'a,c,') },
    message: [
      'p.csv:1: text.column: no column "b", the file has 3: a, c, score',
      'Did you mean "a"? Else set `text.column` to the name or the index of a column.',
    ],
  },
  'two pairs to score': {
    recipe: pairs() + BAG,
    files: { 'p.csv': PAIRS.split('\n').slice(0, 3).join('\n') },
    message: [
      'p.csv: 2 pairs for validation, expected 3 or more',
      'Models are scored by a correlation: add pairs with a similarity.',
    ],
  },
  'pairs that are all as similar': {
    recipe: pairs() + BAG,
    files: { 'p.csv': PAIRS.replace(/,[\d.]+\n/g, ',1\n') },
    message: [
      'p.csv: all 5 pairs for validation have the similarity 1',
      'Models are scored by a correlation, which needs different similarities.',
    ],
  },
};

const RECIPE = data() + rest;
const embed = (...more: readonly string[]): readonly string[] => ['embed', 't.onnx', '--vectors', 'r.yaml', ...more];
const given = { ...FILES, 't.onnx': model(4), 'r.yaml': RECIPE };

/** Calls of `limbeck embed --vectors`. */
export const vectorCommands: Readonly<Record<string, CommandCase>> = {
  'vectors by a recipe of classes': {
    args: embed(),
    files: { ...given, 'r.yaml': `${TABLE}\n${rest}` },
    message: [
      'r: expected a recipe of the task embedding, received classification',
      'Set `dataset.task: embedding`, and `dataset.dimensions` to the numbers of the vectors.',
    ],
  },
  'vectors of a split that is not there': {
    args: embed(),
    files: { ...given, 'r.yaml': RECIPE.replace(', testFraction: 0.2', '') },
    message: ['r: the data set has no test split', 'Use --split validation, or set dataset.test.'],
  },
  'vectors of a split that nobody knows': {
    args: embed('--split', 'tests'),
    files: given,
    message: ['--split: expected one of train, validation, test, received "tests"', 'Run `limbeck embed --help`.'],
  },
  'vectors into a table': {
    args: embed('--out', 'v.csv'),
    files: given,
    message: ['--out: expected a file that ends in .npy or .parquet, received v.csv', 'Name another file.'],
  },
  'vectors over the model': {
    args: embed('--out', 't.onnx'),
    files: given,
    message: ['--out: expected a file that ends in .npy or .parquet, received t.onnx', 'Name another file.'],
  },
  'vectors into a folder that is not there': {
    args: embed('--out', 'gone/v.npy'),
    files: given,
    message: [
      'gone/v.npy: cannot write it: no such file or folder',
      'Check the path; relative paths in a recipe start at the recipe file.',
    ],
  },
  'vectors by a model that is not there': {
    args: ['embed', 'gone.onnx', '--vectors', 'r.yaml'],
    files: given,
    message: [
      'gone.onnx: cannot read it: no such file or folder',
      'Check the path; relative paths in a recipe start at the recipe file.',
    ],
  },
  'vectors by a broken model': {
    args: embed(),
    files: { ...given, 't.onnx': Buffer.from('no model') },
    message: [
      't.onnx: not an ONNX file, or a damaged one (illegal tag: field no 13 wire type 6)',
      'Export the model again and compare the size of the copy with the original.',
    ],
  },
  'vectors by a recipe that is not there': {
    args: embed(),
    files: { 't.onnx': model(4) },
    message: [
      'r.yaml: cannot read it: no such file or folder',
      'Check the path; relative paths in a recipe start at the recipe file.',
    ],
  },
  'vectors of fewer numbers than the recipe says': {
    args: embed(),
    files: { ...given, 't.onnx': model(3), 'r.yaml': `${RECIPE}teacher: {onnx: t.onnx}\n` },
    message: [
      'dataset.dimensions: expected at most 3, the numbers of a vector of t.onnx, received 4',
      'Set `dataset.dimensions: 3` or less.',
    ],
  },
  'vectors of data that are not there': {
    args: embed(),
    files: { 't.onnx': model(4), 'r.yaml': RECIPE },
    message: [
      'dataset.train: d.csv: cannot read it: no such file or folder',
      'Check the path; relative paths in a recipe start at the recipe file.',
    ],
  },
};
