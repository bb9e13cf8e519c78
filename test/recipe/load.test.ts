import { UserError } from '../../src/base/errors.ts';
import { completeRecipe, parseRecipe } from '../../src/recipe/load.ts';
import type { RecipeChange } from '../../src/recipe/overrides.ts';
import { LOSSES } from '../../src/recipe/schema/loss.ts';
import { recipeDiff, recipeHash } from '../../src/recipe/diff.ts';

const FULL = `name: fashion-mnist
seed: 7
dataset:
  type: idx
  train: {images: ../d/train-images.gz, labels: ../d/train-labels.gz}
  test:  {images: ../d/t10k-images.gz,  labels: ../d/t10k-labels.gz}
  validation: 0.1
  augment: [{shift: 2}, {flip: horizontal}]
teacher: {onnx: ../checkpoints/fashion-mnist-teacher/teacher.onnx}
student: {model: ds-cnn, width: 0.5}
distill: {loss: kd, temperature: 4, alpha: 0.9, epochs: 10, batchSize: 128,
          optimizer: {type: adamw, learningRate: 0.002, schedule: cosine, weightDecay: 0.0001}}
prune:    [{type: channels, amount: 0.3, multipleOf: 8, finetune: {epochs: 2}, maxDrop: 0.5}]
quantize: {scheme: int8, method: ptq, calibrator: percentile, samples: 512, maxDrop: 0.3, fallback: qat}
export:   [onnx, tflite]
report:   {latency: {batchSizes: [1, 8, 32], threads: [1, 2]}}
`;

const SHORT = `dataset: {type: csv, train: data.csv}
student: {model: mlp}
`;

function failure(text: string, set: RecipeChange[] = []): UserError {
  try {
    parseRecipe(text, 'recipes/x.yaml', { set });
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  }
  throw new Error('the recipe was accepted');
}

it.each([
  ['{tfjs: m.json, layout: nchw}', /teacher\.layout: expected no such key beside tfjs/],
  ['{onnx: t.onnx, signature: a}', /teacher\.signature: expected no such key beside onnx/],
  ['{train: {model: mlp}, classes: [a, b]}', /teacher\.classes: expected no such key beside train/],
  ['{logits: l.safetensors, layout: nchw}', /teacher\.layout: expected no such key beside logits/],
  [
    '{logits: l.safetensors, classes: v.npy}',
    /teacher\.classes: expected a list of class names beside teacher\.logits/,
  ],
  [
    '{ensemble: [{onnx: a.onnx}, {onnx: b.onnx}], normalize: {mean: 0.5}}',
    /teacher\.normalize: expected it inside each teacher of the ensemble/,
  ],
])('a key of the teacher that nothing would read is refused: %s', (teacher, message) => {
  expect(failure(`${SHORT}teacher: ${teacher}\n`).message).toMatch(message);
});

it.each([
  [
    'syncBatchNorm: true\ndistill: {batchSize: 32, microBatch: 8}',
    /distill\.microBatch: expected nothing: with syncBatchNorm all parts .*, received 8/,
  ],
  [
    'distill: {batchSize: 32, microBatch: 64}',
    /distill\.microBatch: expected at most batchSize, which is 32, received 64/,
  ],
  [
    'teacher: {train: {model: mlp, microBatch: 256}}',
    /teacher\.train\.microBatch: expected at most batchSize, which is 128/,
  ],
  [
    'teacher: {onnx: t.onnx}\ndistill: {loss: dist, microBatch: 64}',
    /distill\.microBatch: expected a loss that is a sum over samples, .*, received dist/,
  ],
  [
    'teacher: {onnx: t.onnx}\nshards: 4\ndistill: {loss: dist}',
    /distill\.loss: expected a loss that is a sum over samples, of which each of the 4 shards .*, received dist/,
  ],
])('parts of a batch that cannot be are refused: %s', (line, message) => {
  expect(failure(`${SHORT}${line}\n`).message).toMatch(message);
});

it.each([
  ['outputs: classes', '3:10 outputs: expected probabilities or logits for classification, received classes'],
  [
    'target: {latency: {maxMs: 1}, runtime: onnxruntime}\noutputs: probabilities',
    'outputs: expected logits beside target, whose search makes no files with other answers, received probabilities',
  ],
])('answers that no file would give are refused: %s', (line, message) => {
  expect(failure(`${SHORT}${line}\n`).message).toContain(message);
});

describe('a good recipe', () => {
  it('keeps what the full example of the design says', () => {
    const { recipe, written } = parseRecipe(FULL, '/r/recipes/x.yaml');
    expect(recipe).toMatchObject({
      name: 'fashion-mnist',
      seed: 7,
      teacher: { onnx: '/r/checkpoints/fashion-mnist-teacher/teacher.onnx' },
      dataset: { train: { images: '/r/d/train-images.gz' }, augment: [{ shift: 2 }, { flip: 'horizontal' }] },
      distill: { optimizer: { weightDecay: 0.0001, momentum: 0.9 }, softTargets: { store: 'fp16' } },
      prune: [{ amount: 0.3, finetune: { epochs: 2 } }],
      quantize: [{ calibrator: 'percentile' }],
    });
    expect(written.teacher?.onnx).toBe('../checkpoints/fashion-mnist-teacher/teacher.onnx');
  });

  it('takes settings that two trainings share from a merge key', () => {
    const teacher = 'teacher: {train: {model: mlp, <<: &both {epochs: 3, batchSize: 32}}}\n';
    const { recipe } = parseRecipe(`${SHORT}${teacher}distill: {<<: *both, epochs: 5}\n`, 'x.yaml');
    expect([recipe.teacher!.train!.epochs, recipe.distill.epochs, recipe.distill.batchSize]).toEqual([3, 5, 32]);
  });

  it('fills every default and takes its name from the file', () => {
    const { recipe } = parseRecipe(SHORT, '/r/my recipe.yaml');
    expect(recipe).toMatchObject({
      name: 'my-recipe',
      seed: 0,
      baseline: true,
      repeats: 1,
      export: ['onnx'],
      dataset: { validation: 0.1, header: true, train: '/r/data.csv' },
      distill: { loss: 'kd', labelSmoothing: 0, epochs: 10, optimizer: { type: 'adamw' } },
    });
  });

  it('is the same when its own completed form is completed again', () => {
    const { written } = parseRecipe(FULL, '/r/x.yaml');
    expect(completeRecipe(JSON.parse(JSON.stringify(written)), '/r').written).toEqual(written);
  });

  it('takes one quantization without a list, and several with', () => {
    const quantize = (value: string) => parseRecipe(`${SHORT}quantize: ${value}`, 'x.yaml').recipe.quantize;
    expect(quantize('{scheme: fp16}')).toMatchObject([{ scheme: 'fp16', maxDrop: 0.5 }]);
    expect(quantize('[{}, {method: qat}]')).toMatchObject([{ method: 'ptq' }, { method: 'qat' }]);
    expect(parseRecipe(SHORT, 'x.yaml').recipe.quantize).toEqual([]);
  });

  it('reads names of arrays inside an .npz as names, and its file as a file', () => {
    const { recipe } = parseRecipe(
      'dataset: {type: npz, train: {file: a.npz, samples: x, labels: y}}\nstudent: {model: mlp}',
      '/r/x.yaml',
    );
    expect(recipe.dataset.train).toEqual({ file: '/r/a.npz', samples: 'x', labels: 'y' });
  });
});

describe('a broken recipe', () => {
  it.each([
    [
      'a number out of range',
      'distill: {temperature: -1}',
      'recipes/x.yaml:3:24 distill.temperature: expected a number ≥ 0.01, received -1',
      /leave it out/,
    ],
    [
      'a wrong type',
      'distill: {epochs: many}',
      'recipes/x.yaml:3:19 distill.epochs: expected a number, received "many"',
      /distill.epochs/,
    ],
    [
      'a wrong kind',
      'distill: 3',
      'recipes/x.yaml:3:10 distill: expected a mapping, received 3',
      /^Write it with its keys: distill: { loss: … }\. Known keys: loss, temperature, /,
    ],
    ['an unknown key', 'distil: {epochs: 3}', 'recipes/x.yaml:3:1 distil: unknown key', /Did you mean distill\?/],
    [
      'an unknown inner key',
      'distill: {temprature: 3}',
      'recipes/x.yaml:3:11 distill.temprature: unknown key',
      /temperature\?/,
    ],
    [
      'an unknown choice',
      'distill: {loss: dk}',
      `recipes/x.yaml:3:17 distill.loss: expected one of ${Object.keys(LOSSES).join(', ')}, auto, received "dk"`,
      /Did you mean (kd|dkd)\?/,
    ],
    [
      'a fraction of a whole number',
      'repeats: 1.5',
      'recipes/x.yaml:3:10 repeats: expected a whole number, received 1.5',
      /repeats/,
    ],
    [
      'two sources of a teacher',
      'teacher: {onnx: a, tfjs: b}',
      'recipes/x.yaml:3:10 teacher: expected exactly one of onnx, keras, folder, tfjs, savedModel, tflite, train, ensemble, logits, received onnx and tfjs',
      /./,
    ],
    [
      'no source of a teacher',
      'teacher: {layout: nchw}',
      'recipes/x.yaml:3:10 teacher: expected exactly one of onnx, keras, folder, tfjs, savedModel, tflite, train, ensemble, logits, received none of them',
      /./,
    ],
    [
      'a name that leaves the folder',
      'name: ../../etc',
      'recipes/x.yaml:3:7 name: expected letters, digits, dot, dash and underscore, received "../../etc"',
      /./,
    ],
    [
      'an unknown key of a list item',
      'prune: [{amout: 0.1}]',
      'recipes/x.yaml:3:10 prune[0].amout: unknown key',
      /amount\?/,
    ],
    [
      'an unknown key of an item of a list whose items are of several kinds',
      'quantize: [{zzz: int8}]',
      'recipes/x.yaml:3:13 quantize[0].zzz: unknown key',
      /^Known keys: scheme, method, calibrator, /,
    ],
    ['an empty list', 'export: []', 'recipes/x.yaml:3:9 export: expected a list of at least 1 items, received []', /./],
    ['a value with nothing in it', 'seed:', 'recipes/x.yaml:3:6 seed: expected a number, received null', /./],
    ['not a number', 'seed: .nan', 'recipes/x.yaml:3:7 seed: expected a number, received NaN', /./],
  ])('%s is named with its place, its value and a remedy', (_name, line, message, hint) => {
    const error = failure(SHORT + line);
    expect(error.message).toBe(message);
    expect(error.hint).toMatch(hint);
  });

  it.each([
    [
      'an unknown type',
      '{type: cvs, train: a}',
      '1:17 dataset.type: expected one of idx, csv, cifar10, cifar100, image-folder, mask-folder, coco, yolo, points, voc, audio-folder, micro-features, text-folder, npz, parquet, webdataset, jsonl, conll, received "cvs"',
      /Did you mean csv\?/,
    ],
    [
      'no type',
      '{train: a}',
      '1:10 dataset.type: expected one of idx, csv, cifar10, cifar100, image-folder, mask-folder, coco, yolo, points, voc, audio-folder, micro-features, text-folder, npz, parquet, webdataset, jsonl, conll, received nothing',
      /./,
    ],
    ['a missing file', '{type: csv}', '1:10 dataset.train: expected text or a list, received nothing', /./],
    [
      'a key of another type',
      '{type: csv, train: a, resize: [8, 8]}',
      '1:32 dataset.resize: not read beside type: csv',
      /belongs to type: image-folder, mask-folder, coco, yolo, points, voc, parquet or webdataset\./,
    ],
    [
      'half a source',
      '{type: idx, train: {images: a}}',
      '1:29 dataset.train.labels: expected text, received nothing',
      /./,
    ],
    [
      'a misspelled step',
      '{type: csv, train: a, augment: [{shfit: 2}]}',
      '1:43 dataset.augment[0].shfit: unknown key',
      /Did you mean shift\?/,
    ],
    [
      'a wrong step',
      '{type: csv, train: a, augment: [{flip: diagonal}]}',
      '1:49 dataset.augment[0].flip: expected one of horizontal, vertical, received "diagonal"',
      /./,
    ],
    [
      'a validation of nothing',
      '{type: csv, train: a, validation: 0}',
      '1:44 dataset.validation: expected a number > 0, received 0',
      /./,
    ],
    [
      'neither a number nor files',
      '{type: idx, train: {images: a, labels: b}, validation: yes please}',
      '1:65 dataset.validation: expected a number or a mapping, received "yes please"',
      /./,
    ],
  ])('in the data set, %s', (_name, dataset, message, hint) => {
    const error = failure(`dataset: ${dataset}\nstudent: {model: mlp}\n`);
    expect(error.message).toContain(message);
    expect(error.hint).toMatch(hint);
  });

  it.each([
    [
      'distill: {loss: mse, temperature: 9}',
      '4:22 distill.temperature: not read beside loss: mse',
      /loss: kd, .*attention\./,
    ],
    ['distill: {queue: 2}', '4:11 distill.queue: not read beside loss: kd', /belongs to loss: similarity\./],
    ['distill: {loss: hint}', '4:10 distill.features: expected a list, received nothing', /Add distill\.features/],
    [
      'prune: {amount: 0.2}',
      '4:8 prune: expected a list, received {"amount":0.2}',
      /a list of one: prune: \[\{ … \}\]/,
    ],
    ['prune: [{pattern: 2:4}]', '4:10 prune[0].pattern: not read beside type: channels', /belongs to type: n:m\./],
    [
      'prune: [{type: magnitude, rounds: 2}]',
      '4:27 prune[0].rounds: not read beside type: magnitude',
      /type: channels\./,
    ],
    ['quantize: {scheme: fp16, samples: 9}', '4:26 quantize.samples: not read beside scheme: fp16', /int8 or int16x8/],
    [
      'quantize: {method: qat, symmetric: true}',
      '4:25 quantize.symmetric: not read beside method: qat',
      /method: ptq\./,
    ],
    ['quantize: {qat: {epochs: 1}}', 'quantize.qat: expected method: qat or fallback: qat', /./],
    [
      'distill: {optimizer: {type: sgd, momentum: 0.8}}',
      'distill.optimizer.momentum: expected momentum, nesterov as type',
      /./,
    ],
    ['distill: {optimizer: {milestones: [2]}}', 'distill.optimizer.milestones: expected step as schedule', /./],
    ['distill: {leaveOut: {classes: [3]}}\nprune: [{amount: 0.5}]', 'leaveOut: expected no such key beside prune', /./],
    [
      'distill: {leaveOut: {classes: [3]}}\nquantize: {method: qat}',
      'leaveOut: expected no such key beside quantize with method: qat',
      /./,
    ],
    [
      'distill: {leaveOut: {classes: [3]}}\nquantize: {fallback: qat}',
      'leaveOut: expected no such key beside quantize with fallback: qat',
      /keep-float/,
    ],
    ['distill: {leaveOut: {classes: [3]}, epochs: 0}', 'leaveOut: expected no such key beside epochs: 0', /./],
    [
      'precision: mixed\ndistill: {loss: sp, features: [{student: a, teacher: b}]}',
      'precision: expected full: sp squares and multiplies what float16 cannot hold, received mixed',
      /./,
    ],
  ])('refuses what nothing reads: %s', (line, message, hint) => {
    const error = failure(`${SHORT}teacher: {onnx: a.onnx}\n${line}`);
    expect(error.message).toContain(message);
    expect(error.hint).toMatch(hint);
  });

  it.each([
    [
      'distill: {temperature: 9}',
      'distill.temperature: expected a teacher, without which it has no effect, received none',
    ],
    ['distill: {loss: dist}', 'distill.loss: expected a teacher, without which it has no effect, received none'],
  ])('refuses what only a teacher gives a meaning, without one: %s', (line, message) => {
    expect(failure(SHORT + line).message).toContain(message);
  });

  it('refuses jobs beside a search, whose candidates are trained one after another', () => {
    const error = failure(`${SHORT}teacher: {onnx: a.onnx}\njobs: 2\ntarget: {sizeKb: 10}`);
    expect(error.message).toContain(':4:7 jobs: expected a recipe without target');
    expect(error.hint).toContain('--shard 1/2');
  });

  it('refuses muon and maxNorm beside weights of an ONNX file, whose layout they do not know', () => {
    const { message } = failure(
      `${SHORT.replace(/student: .*/, 'student: {onnx: a.onnx}')}distill: {optimizer: {type: muon, maxNorm: 3}}\nprune: [{finetune: {optimizer: {type: muon}}}]\nquantize: [{method: qat, qat: {optimizer: {type: muon}}}]`,
    );
    for (const key of ['distill', 'prune[0].finetune', 'quantize[0].qat'])
      expect(message).toContain(`${key}.optimizer.type: expected another rule beside student.onnx`);
    expect(message).toContain('distill.optimizer.maxNorm: expected none beside student.onnx');
  });

  it('names everything that is wrong at once', () => {
    const error = failure(`${SHORT}seed: -1\nrepeats: 0\nexprot: [onnx]\n`);
    expect(error.message.split('\n')).toHaveLength(3);
    expect(error.message).toMatch(/:3:7 seed: .*\n.*:4:10 repeats: .*\n.*:5:1 exprot: /);
  });

  it('shows five mistakes and counts the rest', () => {
    expect(failure(SHORT + 'abcdefg'.replace(/./g, 'unknown_$&: 1\n')).message).toMatch(/\.\.\. and 2 more$/);
  });

  it.each([
    ['a key twice', 'seed: 1\nseed: 2', /:4:1 this key stands twice/],
    ['a bracket left open', 'export: [onnx', /x\.yaml:\d+:\d+ not valid YAML: /],
    ['a tab', 'distill:\n\tepochs: 3', /x\.yaml:\d+:\d+ not valid YAML: /],
    ['an alias without anchor', 'seed: *nothing', /x\.yaml/],
  ])('refuses YAML with %s', (_name, line, message) => {
    expect(failure(SHORT + line).message).toMatch(message);
  });

  it.each(['', '- a\n- b', 'just text', '[]'])('refuses %j as a whole', (text) => {
    expect(failure(text).message).toMatch(/expected a mapping/);
  });

  it('refuses a recipe with neither teacher nor student', () => {
    expect(failure('dataset: {type: csv, train: a}').message).toMatch(
      /expected a teacher, a student or both, received neither/,
    );
  });
});

it('a value that comes from another option is named with that', () => {
  const failed = failure(FULL, [{ text: 'sed=0', option: '--grid' }]);
  expect([failed.message, failed.hint]).toEqual([
    '--grid sed=0: sed: unknown key',
    expect.stringContaining('seed') as string,
  ]);
});

it('a temperature that float32 cannot divide by is refused', () => {
  const said = 'expected a number ≥ 0.01, received 1e-300';
  expect(failure(FULL, ['distill.temperature=1e-300']).message).toContain(said);
});

describe('--set', () => {
  it('is stronger than the file and makes what is missing', () => {
    const { recipe } = parseRecipe(FULL, 'x.yaml', {
      set: ['distill.temperature=2', 'prune.0.amount=0.1', 'threads=1', 'export=[onnx]'],
    });
    expect(recipe).toMatchObject({
      distill: { temperature: 2, alpha: 0.9 },
      prune: [{ amount: 0.1 }],
      threads: 1,
      export: ['onnx'],
    });
  });

  it.each([
    [
      'distill.temperature=-1',
      '--set distill.temperature=-1: distill.temperature: expected a number ≥ 0.01, received -1',
    ],
    ['distil.temperature=2', '--set distil.temperature=2: distil: unknown key'],
    ['seed.x=2', '--set seed.x=2: seed: expected a number, received {"x":2}'],
    ['seed', '--set: expected key.path=value, received "seed"'],
    ['=3', '--set: expected key.path=value, received "=3"'],
    ['a..b=3', '--set: expected key.path=value, received "a..b=3"'],
    [
      'prune.7.amount=0.1',
      '--set prune.7.amount=0.1: expected the position of one of 1 list items (from 0), received 7',
    ],
    ['seed=[1', '--set seed=[1: the value is not valid YAML'],
    ['__proto__.x=1', '--set __proto__.x=1: no such key'],
  ])('%s is refused as coming from --set', (set, message) => {
    expect(failure(FULL, [set]).message).toBe(message);
  });
});

describe('comparing recipes', () => {
  const before = parseRecipe(FULL, 'x.yaml').written;

  it('says what changed, one line per value', () => {
    const after = parseRecipe(FULL, 'x.yaml', { set: ['distill.temperature=2', 'prune=[]', 'threads=2'] }).written;
    expect(recipeDiff(before, after)).toEqual([
      'distill.temperature: 4 -> 2',
      expect.stringMatching(/^prune\[0\]: \{.* -> nothing$/),
      'threads: 0 -> 2',
    ]);
  });

  it('has one hash per content, whatever the order of the keys', () => {
    const turned = Object.fromEntries(Object.entries(before).reverse());
    expect(recipeHash(turned)).toBe(recipeHash(before));
    expect(recipeDiff(before, turned)).toEqual([]);
    expect(recipeHash({ ...before, seed: 8 })).not.toBe(recipeHash(before));
  });
});
