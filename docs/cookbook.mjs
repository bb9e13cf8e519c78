// Makes the files of docs/cookbook.md in the folder `cookbook`: node docs/cookbook.mjs
import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { File, ready } from 'h5wasm/node';
import sharp from 'sharp';

const folder = path.resolve('cookbook');
const cli = path.join(path.dirname(fileURLToPath(import.meta.resolve('limbeck/package.json'))), 'dist/cli.js');
const limbeck = (...args) => execFileSync(process.execPath, [cli, '--quiet', ...args], { cwd: folder });
const write = (name, content) => {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  writeFileSync(path.join(folder, name), content);
};
let state = 1;
/** A number from 0 to 1, the same in every run of this script. */
const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
const below = (count) => Math.floor(random() * count);

cpSync(path.join(import.meta.dirname, '../datasets/digits'), path.join(folder, 'digits'), { recursive: true });
const rows = readFileSync(path.join(folder, 'digits/train.csv'), 'utf8').trim().split('\n').slice(1);
const samples = rows.map((row) => row.split(',').map(Number));

// Coloured boxes with labels as Ultralytics has them.
const SIDE = 64;
for (const [split, count] of [
  ['train', 48],
  ['val', 16],
])
  // prettier-ignore
  for (let i = 0; i < count; i++) {
    const [kind, w, h] = [below(2), 16 + below(20), 16 + below(20)];
    const [x, y] = [below(SIDE - w), below(SIDE - h)];
    const pixels = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, at) => {
      const [column, row] = [Math.floor(at / 3) % SIDE, Math.floor(at / 3 / SIDE)];
      const inside = column >= x && column < x + w && row >= y && row < y + h;
      return inside ? (at % 3 === kind ? 230 : 20) : 100 + below(56);
    });
    const png = await sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } }).png().toBuffer();
    write(`boxes/images/${split}/${i}.png`, png);
    const label = [kind, (x + w / 2) / SIDE, (y + h / 2) / SIDE, w / SIDE, h / SIDE];
    write(`boxes/labels/${split}/${i}.txt`, `${label.join(' ')}\n`);
  }
write('boxes/data.yaml', 'path: .\ntrain: images/train\nval: images/val\ntest: images/val\nnames: [red, green]\n');

// Tones of two pitches: WAV files of 0.2 s at 4 kHz.
for (const [name, hertz] of Object.entries({ high: 1500, low: 300 }))
  for (let i = 0; i < 60; i++) {
    const [data, loud, phase] = [Buffer.alloc(44 + 1600), 0.1 + 0.5 * random(), 6 * random()];
    data.write('RIFF', 0);
    data.writeUInt32LE(36 + 1600, 4);
    data.write('WAVEfmt ', 8);
    for (const [at, value] of [[16, 16], [24, 4000], [28, 8000]]) data.writeUInt32LE(value, at); // prettier-ignore
    for (const [at, value] of [[20, 1], [22, 1], [32, 2], [34, 16]]) data.writeUInt16LE(value, at); // prettier-ignore
    data.write('data', 36);
    data.writeUInt32LE(1600, 40);
    for (let t = 0; t < 800; t++) {
      const value = loud * (Math.sin((2 * Math.PI * hertz * t) / 4000 + phase) + 0.4 * random() - 0.2);
      data.writeInt16LE(Math.round(25_000 * value), 44 + 2 * t);
    }
    write(`tones/${i < 40 ? 'train' : 'test'}/${name}/${i}.wav`, data);
  }

// The classes' means tell digits apart: 2 m·x - |m|² is largest for the nearest mean, of values divided by 16.
const means = Array.from({ length: 10 }, (_, digit) => {
  const own = samples.filter((values) => values[64] === digit);
  return Array.from({ length: 64 }, (_, i) => own.reduce((sum, values) => sum + values[i], 0) / own.length / 16);
});
const bias = means.map((mean) => -mean.reduce((sum, value) => sum + value * value, 0));

// A Keras model of one dense layer.
await ready;
const layer = (class_name, config) => ({ class_name, config });
const dense = { name: 'logits', units: 10, activation: 'linear', use_bias: true, trainable: true, dtype: 'float32' };
const config = layer('Sequential', {
  name: 'digits',
  layers: [layer('InputLayer', { name: 'x', batch_input_shape: [null, 64], dtype: 'float32' }), layer('Dense', dense)],
});
mkdirSync(folder, { recursive: true });
const file = new File(path.join(folder, 'model.h5'), 'w');
file.create_attribute('model_config', JSON.stringify(config));
file.create_attribute('keras_version', '2.15.0');
const weights = file.create_group('model_weights').create_group('logits');
weights.create_attribute('weight_names', ['logits/kernel:0', 'logits/bias:0']);
const vars = weights.create_group('logits');
const kernel = Array.from({ length: 640 }, (_, i) => 2 * means[i % 10][Math.floor(i / 10)]);
vars.create_dataset({ name: 'kernel:0', data: Float32Array.from(kernel), shape: [64, 10] });
vars.create_dataset({ name: 'bias:0', data: Float32Array.from(bias), shape: [10] });
file.close();

// A pipeline of a scaler and a linear classifier, in the operators that skl2onnx writes.
const varint = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))]);
const field = (id, content) =>
  typeof content === 'number'
    ? Buffer.from([...varint(id * 8), ...varint(content)])
    : Buffer.concat([
        Buffer.from([...varint(id * 8 + 2), ...varint(Buffer.byteLength(content))]),
        Buffer.from(content),
      ]);
const message = (...fields) => Buffer.concat(fields.map(([id, content]) => field(id, content)));
const float = (value) => {
  const data = Buffer.alloc(5, 0x3d);
  data.writeFloatLE(value, 1);
  return data;
};
const attribute = (name, value) => {
  const head = message([1, name]);
  if (typeof value === 'string') return Buffer.concat([head, message([4, value], [20, 3])]);
  if (value.floats) return Buffer.concat([head, ...value.floats.map(float), message([20, 6])]);
  return Buffer.concat([head, ...value.ints.map((one) => field(8, one)), message([20, 7])]);
};
const node = (op, inputs, outputs, attributes) =>
  message(
    ...inputs.map((name) => [1, name]),
    ...outputs.map((name) => [2, name]),
    [4, op],
    ...Object.entries(attributes).map(([name, value]) => [5, attribute(name, value)]),
    [7, 'ai.onnx.ml'],
  );
const digitsOf = { ints: Array.from({ length: 10 }, (_, i) => i) };
const shape = (...sizes) =>
  message(...sizes.map((size) => [1, typeof size === 'number' ? field(1, size) : field(2, size)]));
const tensor = (type, ...sizes) => field(1, message([1, type], [2, shape(...sizes)]));
const map = field(4, field(1, field(5, message([1, 7], [2, field(1, field(1, 1))]))));
const value = (name, type) => message([1, name], [2, type]);
const graph = message(
  [1, node('Scaler', ['X'], ['scaled'], { offset: { floats: [0] }, scale: { floats: [1 / 16] } })],
  [
    1,
    node('LinearClassifier', ['scaled'], ['label', 'probabilities'], {
      classlabels_ints: digitsOf,
      coefficients: { floats: means.flat().map((weight) => 2 * weight) },
      intercepts: { floats: bias },
      post_transform: 'SOFTMAX',
    }),
  ],
  [1, node('ZipMap', ['probabilities'], ['output_probability'], { classlabels_int64s: digitsOf })],
  [2, 'pipeline'],
  [11, value('X', tensor(1, 'N', 64))],
  [12, value('label', tensor(7, 'N'))],
  [12, value('output_probability', map)],
);
const opset = (domain, version) => message([1, domain], [2, version]);
write('pipeline.onnx', message([1, 8], [7, graph], [8, opset('', 17)], [8, opset('ai.onnx.ml', 1)]));

// Questions in a table, with what they are about.
const ABOUT = {
  broken: ['My # is broken, who mends it?', 'The # fell down and does not work.', 'There is a crack in the #!'],
  price: ['How much is a # for two days?', 'What does it cost to borrow the #?', 'Is the # cheaper on Sunday?'],
  return: ['Can I bring the # back a week later?', 'I forgot to return the #.', 'May I keep the # until Friday?'],
};
const THINGS = ['kettle', 'lamp', 'bicycle', 'kayak', 'drill', 'tent'];
for (const [split, count] of [
  ['train', 240],
  ['test', 60],
]) {
  // prettier-ignore
  const lines = Array.from({ length: count }, (_, i) => {
    const about = Object.keys(ABOUT)[i % 3];
    return `"${ABOUT[about][below(3)].replace('#', THINGS[below(6)])}",${about}\n`;
  });
  write(`questions/${split}.csv`, `text,about\n${lines.join('')}`);
}
const words = [
  ...new Set(`${Object.values(ABOUT).flat().join(' ')} ${THINGS.join(' ')}`.toLowerCase().match(/[a-z]+/g)),
];
const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];
const added = special.map((content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })); // prettier-ignore
const ends = [{ SpecialToken: { id: '[CLS]', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '[SEP]', type_id: 0 } }]; // prettier-ignore
const tokenizer = {
  ...{ version: '1.0', truncation: null, padding: null, added_tokens: added },
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    ...{ type: 'TemplateProcessing', single: ends, pair: ends },
    special_tokens: Object.fromEntries(
      [2, 3].map((id) => [special[id], { id: special[id], ids: [id], tokens: [special[id]] }]),
    ),
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    ...{ type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100 },
    vocab: Object.fromEntries([...special, ...'.,?!', ...words].map((word, id) => [word, id])),
  },
};
write('questions/tokenizer.json', JSON.stringify(tokenizer));

// A finished run of digits, its teacher as a file, and a folder as Hugging Face has it.
const fast = 'report: { latency: { seconds: 0 } }\n';
write(
  'digits.yaml',
  `dataset:
  type: csv
  train: digits/train.csv
  test: digits/test.csv
  label: digit
  normalize: { mean: 0, std: 16 }
teacher: { train: { model: mlp, hidden: [128, 128], epochs: 15 } }
student: { model: mlp, hidden: [16] }
distill: { epochs: 15, optimizer: { learningRate: 0.01 } }
${fast}`,
);
write(
  'questions.yaml',
  `dataset:
  type: csv
  train: questions/train.csv
  test: questions/test.csv
  label: about
  text: { column: text, tokenizer: questions/tokenizer.json, length: 16 }
teacher: { train: { model: text-cnn, epochs: 2 } }
student: { model: text-transformer }
distill: { epochs: 12, optimizer: { learningRate: 0.003 } }
${fast}`,
);
limbeck('run', 'digits.yaml');
limbeck('run', 'questions.yaml');
cpSync(path.join(folder, 'checkpoints/digits/teacher.onnx'), path.join(folder, 'classifier.onnx'));
limbeck('export', 'questions', '--transformers', 'hub');
