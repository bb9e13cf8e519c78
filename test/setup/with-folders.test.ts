import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { tokenNotes } from '../../src/setup/data.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { hubFolder } from '../support/hub.ts';
import { temporaryFolder } from '../support/folder.ts';
import { makePipe } from '../support/pipe.ts';

const folder = temporaryFolder();
const IMAGES = { type: 'image-folder', train: 'pictures', resize: [32, 32], channels: 3 };
const TEXTS = { type: 'csv', train: 'train.csv', label: 'kind', text: { column: 'text' } };

const made = (recipe: object) => makeRecipe({ name: 'r', student: { model: 'mlp' }, ...recipe }, folder()).written;
const taught = (dataset: object, teacher: object = {}) =>
  made({ dataset, teacher: { folder: 'm', ...teacher } }).teacher!;
const at = (): string => path.join(folder(), 'm');

const VIT = { image_processor_type: 'ViTImageProcessor', do_resize: true, size: { height: 24, width: 24 }, resample: 2, do_rescale: true, rescale_factor: 1 / 255, do_normalize: true, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.25] }; // prettier-ignore

it('a folder of a picture classifier is the keys that its files state', async () => {
  await hubFolder(at(), { preprocessor: VIT });
  expect(taught(IMAGES)).toMatchObject({
    ...{ onnx: 'm/onnx/model.onnx', output: 'logits', outputs: 'logits', classes: ['cat', 'dog'] },
    ...{ channels: 3, resize: [24, 24], normalize: { scale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.25] } },
  });
  expect(taught(IMAGES)).not.toHaveProperty('folder');
  const stated = { onnx: 'm/onnx/model.onnx', resize: [48, 48], normalize: { mean: 0 }, classes: ['dog', 'cat'] };
  expect(taught(IMAGES, stated)).toMatchObject({ ...stated, normalize: { mean: 0, std: 1 }, output: 'logits' });
});

it.each([
  ['a cut by ConvNeXt', { image_processor_type: 'ConvNextImageProcessor', size: { shortest_edge: 224 }, crop_pct: 0.875, resample: 3 }, { resize: [224, 224], cutFrom: 256, filter: 'bicubic' }],
  ['no cut by a large ConvNeXt', { image_processor_type: 'ConvNextFeatureExtractor', size: 384, crop_pct: 0.875 }, { resize: [384, 384] }],
  ['a cut of the shorter side', { image_processor_type: 'MobileNetV2ImageProcessor', size: { shortest_edge: 256 }, do_center_crop: true, crop_size: { height: 224, width: 224 } }, { resize: [224, 224], cutFrom: 256 }],
  ['a cut of a square', { image_processor_type: 'DeiTImageProcessor', size: { height: 256, width: 256 }, do_center_crop: true, crop_size: 224, resample: 1 }, { resize: [224, 224], cutFrom: [256, 256], filter: 'lanczos' }],
  ['a share of PoolFormer', { image_processor_type: 'PoolFormerImageProcessor', size: { shortest_edge: 224 }, crop_pct: 0.9, crop_size: { height: 224, width: 224 } }, { resize: [224, 224], cutFrom: 248 }],
  ['a file of 2021', { feature_extractor_type: 'ViTFeatureExtractor', size: 224 }, { resize: [224, 224] }],
  ['values from -1 to 1, and deviations twice', { ...VIT, image_processor_type: 'EfficientNetImageProcessor', rescale_factor: 1 / 127.5, rescale_offset: true, include_top: true }, { normalize: { scale: 1 / 127.5, mean: [1.5, 1.5, 1.5], std: [0.25, 0.25, 0.0625] } }],
  ['no rescaling', { ...VIT, do_rescale: false, do_normalize: false }, { normalize: { scale: 1, mean: [0, 0, 0], std: [1, 1, 1] } }],
])('reads %s', async (_what, change, expected) => {
  await hubFolder(at(), { preprocessor: { image_mean: [0, 0, 0], image_std: [1, 1, 1], ...change } });
  expect(taught(IMAGES)).toMatchObject(expected);
}); // prettier-ignore

it.each([
  ['swaps red and blue', { ...VIT, image_processor_type: 'MobileViTImageProcessor', do_flip_channel_order: true }, /swaps red and blue \(do_flip_channel_order\)/],
  ['pads', { ...VIT, do_pad: true }, /pads pictures/],
  ['is unknown', { ...VIT, image_processor_type: 'ImageGPTImageProcessor' }, /the processor ImageGPTImageProcessor, whose steps are not known/],
  ['gives any length', { ...VIT, size: { shortest_edge: 224 } }, /pictures of any length/],
  ['resizes by no filter', { ...VIT, resample: 0 }, /filter 0 \(resample\)/],
  ['normalizes other channels', { ...VIT, image_mean: [0.5] }, /normalizes 1 channels, and its model takes 3/],
  ['has a size in words', { ...VIT, size: 'large' }, /has a size that is not understood/],
])('refuses a processor that %s', async (_what, preprocessor, message) => {
  await hubFolder(at(), { preprocessor });
  expect(() => taught(IMAGES)).toThrow(message);
  expect(taught(IMAGES, { resize: [9, 9], normalize: { mean: 0 } })).toMatchObject({ resize: [9, 9] });
}); // prettier-ignore

it('a folder of a text classifier brings its tokenizer, and its length where the data have more', async () => {
  await hubFolder(at(), { architecture: 'BertForSequenceClassification', tokenizer: 64, inputs: ['input_ids', 'attention_mask'] });
  expect(taught(TEXTS).text).toEqual({ tokenizer: 'm/tokenizer.json', length: 64 });
  expect(taught({ ...TEXTS, text: { column: 'text', length: 32 } }).text).toEqual({ tokenizer: 'm/tokenizer.json' });
  expect(() => taught(IMAGES)).toThrow(/m: reads texts, expected data of that kind/);
  const student = made({ dataset: TEXTS, teacher: undefined, student: { folder: 'm' } });
  expect(student).toMatchObject({
    student: { onnx: 'm/onnx/model.onnx', output: 'logits' },
    dataset: { classes: ['cat', 'dog'], text: { column: 'text', tokenizer: 'm/tokenizer.json', inputs: ['input_ids', 'attention_mask'], length: 64 } },
  });
}); // prettier-ignore

it('beside a folder with a tokenizer, a student that reads bytes is told so, unless the recipe says bytes', async () => {
  await hubFolder(at(), { architecture: 'BertForSequenceClassification', tokenizer: 64, inputs: ['input_ids'] });
  const notes = (text: object) => {
    const dataset = { ...TEXTS, text: { column: 'text', ...text } };
    return tokenNotes({ dataset, teacher: taught(dataset) } as unknown as Parameters<typeof tokenNotes>[0]);
  };
  expect(notes({})).toEqual([
    expect.stringMatching(
      /^the student reads texts as bytes, .* `dataset\.text\.tokenizer: m\/tokenizer\.json` gives the student the same tokens/,
    ),
  ]);
  expect(notes({ tokenizer: 'bytes' })).toEqual([]);
  expect(notes({ tokenizer: 'm/tokenizer.json' })).toEqual([]);
});

it('a student of pictures brings their size and normalization, unless the data state them', async () => {
  await hubFolder(at(), { preprocessor: VIT });
  const open = { type: 'image-folder', train: 'pictures', channels: 3 };
  const dataset = { ...open, classes: ['dog', 'cat'] };
  expect(made({ dataset, teacher: undefined, student: { folder: 'm', head: 'replace' } }).dataset).toMatchObject({
    ...{ resize: [24, 24], classes: ['dog', 'cat'], normalize: { scale: 1 / 255, mean: [0.5, 0.5, 0.5] } },
  });
});

it('labels and tags take the order of the folder', async () => {
  await hubFolder(at(), { architecture: 'BertForTokenClassification', tokenizer: 64, inputs: ['input_ids'] });
  const tags = { ...TEXTS, type: 'jsonl', task: 'tagging' };
  const text = { column: 'text', tokenizer: 'm/tokenizer.json', length: 64 };
  const { dataset, teacher } = made({ dataset: tags, teacher: { folder: 'm' }, student: { model: 'gru' } });
  expect([dataset, teacher!.text]).toMatchObject([{ classes: ['cat', 'dog'], text }, undefined]);
  expect(() => made({ dataset: { ...tags, classes: ['dog', 'cat'] }, teacher: { folder: 'm' } })).toThrow(
    /answers for cat, dog, as its config.json says, received the labels dog, cat/,
  );
  expect(() => taught(TEXTS)).toThrow(/answers the task tagging, as its config.json says, received the task classification/);
}); // prettier-ignore

it('members of an ensemble are folders too, and read the tokens of the first', async () => {
  await hubFolder(at(), { architecture: 'BertForSequenceClassification', tokenizer: 64, inputs: ['input_ids'] });
  const teacher = { ensemble: [{ folder: 'm' }, { folder: 'm', weight: 2 }] };
  expect(made({ dataset: TEXTS, teacher }).teacher).toMatchObject({
    text: { tokenizer: 'm/tokenizer.json', length: 64 },
    ensemble: [{ onnx: 'm/onnx/model.onnx' }, { onnx: 'm/onnx/model.onnx', weight: 2 }],
  });
});

it('a model of embeddings wants vectors, and a pooling that is in the file or known', async () => {
  await hubFolder(at(), { architecture: 'BertModel', tokenizer: 64, outputs: ['last_hidden_state'], inputs: ['input_ids'] });
  await mkdir(path.join(at(), '1_Pooling'));
  await writeFile(path.join(at(), '1_Pooling/config.json'), '{"pooling_mode_max_tokens":true}');
  expect(() => taught(TEXTS)).toThrow(
    /expected an output sentence_embedding.*received last_hidden_state; 1_Pooling says pooling_mode_max_tokens/,
  );
  await writeFile(path.join(at(), '1_Pooling/config.json'), '{"pooling_mode_cls_token":true}');
  expect(taught({ ...TEXTS, task: 'embedding' })).toMatchObject({ output: 'last_hidden_state', pooling: 'cls' });
  expect(taught(TEXTS, { classes: 'v.npy' })).toMatchObject({ output: 'last_hidden_state', pooling: 'cls' });
  await writeFile(path.join(at(), 'modules.json'), '[{"type":"sentence_transformers.models.Dense"}]');
  expect(() => taught({ ...TEXTS, task: 'embedding' })).toThrow(/1_Pooling says pooling_mode_cls_token/);
  await hubFolder(at(), { architecture: 'BertModel', tokenizer: 64, outputs: ['sentence_embedding'], inputs: ['input_ids'] });
  expect(() => taught(TEXTS)).toThrow(/answers with an embedding, expected vectors of the classes/);
  expect(taught(TEXTS, { classes: 'v.npy' })).toMatchObject({ output: 'sentence_embedding', classes: 'v.npy' });
  await writeFile(path.join(at(), 'modules.json'), '[{"type":"sentence_transformers.models.CNN"}]');
  expect(() => taught(TEXTS, { classes: 'v.npy' })).toThrow(/modules.json names sentence_transformers.models.CNN/);
}); // prettier-ignore

it.each([
  ['without ONNX', { files: ['model.safetensors'] }, /expected an ONNX file, received model.safetensors/],
  ['of another kind', { architecture: 'LlamaForCausalLM' }, /a LlamaForCausalLM, expected a classifier/],
  ['with several files', { files: ['onnx/a.onnx', 'onnx/b.onnx'] }, /expected model.onnx among .* onnx\/a.onnx, onnx\/b.onnx/],
  ['without a processor', {}, /expected a preprocessor_config.json/],
  ['without a tokenizer', { architecture: 'BertForSequenceClassification' }, /expected data of that kind/],
])('refuses a folder %s', async (_what, form, message) => {
  await hubFolder(at(), form);
  expect(() => taught(IMAGES)).toThrow(message);
}); // prettier-ignore

it('refuses pipes, and links out of the folder but into the cache of the hub', async () => {
  await hubFolder(at(), { preprocessor: VIT });
  await writeFile(path.join(folder(), 'elsewhere.json'), await readFile(path.join(at(), 'config.json')));
  await writeFile(path.join(at(), 'bad.json'), '');
  const snapshot = path.join(folder(), 'snapshots', 'main');
  await hubFolder(snapshot, { preprocessor: VIT, config: false });
  await mkdir(path.join(folder(), 'blobs'));
  await writeFile(path.join(folder(), 'blobs', 'abc'), await readFile(path.join(at(), 'config.json')));
  await symlink('../../blobs/abc', path.join(snapshot, 'config.json'));
  expect(taught(IMAGES, { folder: 'snapshots/main' })).toMatchObject({ onnx: 'snapshots/main/onnx/model.onnx' });
  await hubFolder(path.join(folder(), 'linked'), { preprocessor: VIT, config: false });
  await symlink('../elsewhere.json', path.join(folder(), 'linked', 'config.json'));
  expect(() => taught(IMAGES, { folder: 'linked' })).toThrow(/its config.json is a link out of the folder/);
  expect(() => taught(IMAGES, { onnx: 'gone.onnx' })).toThrow(/gone\.onnx: expected a regular file/);
  await rm(path.join(at(), 'preprocessor_config.json'));
  await makePipe(path.join(at(), 'preprocessor_config.json'));
  expect(() => taught(IMAGES)).toThrow(/preprocessor_config\.json: expected a regular file/);
  expect(() => taught(IMAGES, { folder: 'gone' })).toThrow(/expected a folder, and there is none/);
  expect(() => taught(IMAGES, { tfjs: 'model.json' })).toThrow(/exactly one of onnx, keras, folder/);
});

describe('a folder of Parquet files', () => {
  const shards = async (...names: string[]): Promise<void> => {
    for (const name of names) {
      await mkdir(path.dirname(path.join(at(), name)), { recursive: true });
      await writeFile(path.join(at(), name), '');
    }
  };
  const data = (change: object = {}) => made({ dataset: { type: 'parquet', train: 'm', ...change }, teacher: undefined }).dataset; // prettier-ignore
  const two = ['data/train-00000-of-00002.parquet', 'data/train-00001-of-00002.parquet'];

  it('is the files of its splits, which stated ones win over', async () => {
    await shards(...two, 'data/test-00000-of-00001.parquet', 'data/validation-00000-of-00001.parquet');
    expect(data()).toMatchObject({
      train: ['m/data/train-00000-of-00002.parquet', 'm/data/train-00001-of-00002.parquet'],
      test: ['m/data/test-00000-of-00001.parquet'],
      validation: ['m/data/validation-00000-of-00001.parquet'],
    });
    expect(data({ validation: 0.2, test: 'own.parquet' })).toMatchObject({ validation: 0.2, test: 'own.parquet' });
  });

  it('has the files that the head of its README.md names', async () => {
    await shards('sst2/train-00000-of-00001.parquet', 'cola/train-00000-of-00001.parquet', 'sst2/more.parquet');
    const config = (name: string, more = '') => `- config_name: ${name}\n  data_files:\n  - split: train\n    path: ${name}/train-*\n  - split: test\n    path: [${name}/m*.parquet]\n${more}`; // prettier-ignore
    await writeFile(path.join(at(), 'README.md'), `---\nconfigs:\n${config('cola')}${config('sst2')}---\n# Data\n`);
    expect(() => data()).toThrow(/holds 2 data sets: cola, sst2/);
    await writeFile(
      path.join(at(), 'README.md'),
      `---\nconfigs:\n${config('cola')}${config('sst2', '  default: true\n')}---`,
    );
    expect(data()).toMatchObject({ train: ['m/sst2/train-00000-of-00001.parquet'], test: ['m/sst2/more.parquet'] });
    await writeFile(path.join(at(), 'README.md'), `---\nconfigs:\n${config('gone')}---`);
    expect(() => data()).toThrow(/names gone\/train-\* for the split train, and no such Parquet file is there/);
    await writeFile(path.join(at(), 'README.md'), '---\nconfigs: 3\n---\n');
    expect(() => data()).toThrow(/the head of its README.md is not understood: configs/);
    await writeFile(path.join(at(), 'README.md'), '# No head');
    expect(() => data()).toThrow(/holds data sets in cola, sst2/);
  });

  it('is refused where the patterns of its README.md would take for ever', async () => {
    await shards(`${'a'.repeat(200)}.parquet`);
    const head = (pattern: string) =>
      `---\nconfigs:\n- config_name: default\n  data_files:\n  - {split: train, path: '${pattern}'}\n---\n`;
    await writeFile(path.join(at(), 'README.md'), head(`${'*a'.repeat(20)}b.parquet`));
    expect(() => data()).toThrow(/names files by "(\*a){20}b\.parquet", expected at most 4 wildcards, 2 of them \*\*$/);
    await writeFile(path.join(at(), 'README.md'), head('**/**/**/b.parquet'));
    expect(() => data()).toThrow(/expected at most 4 wildcards/);
  });

  it('is refused without a shard, and without train', async () => {
    await shards(two[1]!);
    expect(() => data()).toThrow(/expected data\/train-00000-of-00002.parquet, which is missing beside/);
    await hubFolder(at(), { files: ['test.parquet'] });
    expect(() => data()).toThrow(/expected Parquet files of a split train, received test.parquet/);
  });
});
