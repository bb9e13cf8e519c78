import { TABLE, rest } from './files.ts';
import type { Case } from './files.ts';

export const recipes: Readonly<Record<string, Case>> = {
  'YAML with a bracket left open': {
    recipe: 'dataset: {type: csv',
    message: [
      'r.yaml:1:20 not valid YAML: Flow map in block collection must be sufficiently indented and end with a }',
      'Correct the line; indentation and brackets are the usual causes.',
    ],
  },
  'an empty recipe': {
    recipe: '',
    message: [
      'r.yaml: expected a mapping of keys to values, received an empty file',
      'Run `limbeck init` to write a recipe to start from.',
    ],
  },
  'a recipe that is binary': {
    recipe: '\u0000\u0001\u0002',
    message: [
      'r.yaml: expected a mapping of keys to values, received "\\u0000\\u0001\\u0002"',
      'Run `limbeck init` to write a recipe to start from.',
    ],
  },
  'a recipe in UTF-16': {
    recipe: Buffer.from('\ufeffseed: 1\n', 'utf16le'),
    message: [
      'r.yaml: expected text in UTF-8, received 18 bytes of another encoding or no text at all',
      'Save it as UTF-8.',
    ],
  },
  'two recipes in one file': {
    recipe: `${TABLE}\n${rest}---\n${TABLE}\n`,
    message: ['r.yaml:4:1 a second YAML document begins here', 'Keep one recipe in a file, and no line of ---.'],
  },
  'a tag that nobody knows': {
    recipe: `${TABLE}\n${rest}name: !env HOME\n`,
    message: ['r.yaml:4:7 not valid YAML: Unresolved tag: !env', 'Leave out what begins with an exclamation mark.'],
  },
  'an alias inside of its own value': {
    recipe: `${TABLE}\nstudent: {model: mlp}\ndistill: &d {temperature: *d}`,
    message: [
      'r.yaml:3:27 distill.temperature: expected a number, received a value that holds itself',
      'Change distill.temperature, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'a number that is too large': {
    recipe: `${TABLE}\n${rest}seed: 1e30\n`,
    message: [
      'r.yaml:4:7 seed: expected a number ≤ 9007199254740991, received 1e+30',
      'Change seed, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'a layer that no memory holds': {
    recipe: `${TABLE}\nstudent: {model: mlp, hidden: [1e15]}`,
    message: [
      'r.yaml:2:31 student.hidden: expected a list of whole numbers from 1 to 65536, received [1000000000000000]',
      'Change the option hidden of mlp.',
    ],
  },
  'a file name that no system has': {
    recipe: `dataset: {type: csv, train: "d\\0.csv"}\n${rest}`,
    message: [
      'r.yaml:1:29 dataset.train: expected a file name without NUL characters, received "d\\u0000.csv"',
      'Change dataset.train, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'an unknown key': {
    recipe: `${TABLE}\n${rest}distil: {}\n`,
    message: ['r.yaml:4:1 distil: unknown key', 'Did you mean distill?'],
  },
  'a key twice': {
    recipe: `${TABLE}\n${rest}seed: 1\nseed: 2\n`,
    message: ['r.yaml:5:1 this key stands twice in the same mapping', 'Keep one of the two.'],
  },
  'a wrong type': {
    recipe: `${TABLE}\n${rest}seed: soon\n`,
    message: [
      'r.yaml:4:7 seed: expected a number, received "soon"',
      'Change seed, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'a value out of range': {
    recipe: `${TABLE}\nstudent: {model: mlp}\ndistill: {temperature: 0}`,
    message: [
      'r.yaml:3:24 distill.temperature: expected a number ≥ 0.01, received 0',
      'Change distill.temperature, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
  'an unknown model': {
    recipe: `${TABLE}\nstudent: {model: mlpp}`,
    message: [
      'r.yaml:2:18 student.model: expected one of mlp, lenet, cnn, ds-cnn, bc-resnet, resnet, wide-resnet, mobilenet-v1, mobilenet-v2, vgg, seg-lraspp, unet, det-nano, det-small, points-nano, points-small, text-transformer, embedding-bag, text-cnn, gru, decoder, gru-lm, cnn-1d, tcn, stream-ds-tcn, stream-mixer, received "mlpp"',
      'Did you mean mlp?',
    ],
  },
  'an option that the model does not have': {
    recipe: `${TABLE}\nstudent: {model: mlp, depth: 3}`,
    message: [
      'r.yaml:2:23 student.depth: unknown key',
      'Known keys: hidden, width, dropout, model, backbone, module, tfjs, onnx, keras, folder, output, outputs, decoder, head, freeze, trainable, learningRates, batchNorm.',
    ],
  },
  'an image model for a table': {
    recipe: `${TABLE}\nstudent: {model: ds-cnn}`,
    message: [
      'model ds-cnn takes images [height, width, channels], received samples of shape [2]',
      'Choose mlp for tables, cnn-1d, tcn, gru or text-transformer for sequences, or give the dataset an image shape.',
    ],
  },
  'pictures that a model would pool to nothing': {
    recipe: `dataset: { type: csv, train: d.csv, testFraction: 0.2, shape: [1, 2] }\nstudent: { model: lenet }`,
    message: [
      'model lenet takes images of at least 4x4, received 1x2',
      'Choose mlp for pictures this small, or set `resize` where the dataset has it.',
    ],
  },
  'token ids that are normalized': {
    recipe: `${TABLE}\nstudent: { model: text-transformer }`,
    message: [
      'train: sample 4: value 0 is -1.7182321548461914 after normalization, but model text-transformer takes token ids from 0 to 8191',
      'Set `dataset.normalize: none`: token ids are names, not measurements.',
    ],
  },
  'token ids beyond the vocabulary': {
    recipe: `${TABLE.replace('}', ', normalize: none }')}\nstudent: { model: text-transformer, vocabulary: 30 }`,
    message: [
      'train: sample 30: value 0 is 30, but model text-transformer takes token ids from 0 to 29',
      'Raise the vocabulary of the model, or correct the data.',
    ],
  },
  'a name that leaves the folder of the runs': {
    recipe: `name: ../elsewhere\n${TABLE}\n${rest}`,
    message: [
      'r.yaml:1:7 name: expected letters, digits, dot, dash and underscore, received "../elsewhere"',
      'Change name, or leave it out if it has a default. Run `limbeck schema` to see every key with its meaning.',
    ],
  },
};
