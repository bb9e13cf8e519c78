import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { zipSync } from 'fflate';
import type { DatasetConfig } from '../../src/data/config.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { countOfElements, countOfPixels } from '../../src/data/dataset.ts';
import { NO_TOKEN, TAIL } from '../../src/answers/next-token/pack.ts';
import { labelledPoints, pointsWidth } from '../../src/answers/points/layout.ts';
import { boxesOf, boxesWidth } from '../../src/data/targets/boxes.ts';
import { IGNORED } from '../../src/data/targets/ignored.ts';
import { loadDataset } from '../../src/data/load.ts';
import { readStoredLogits, storedLogits } from '../../src/distill/answers/stored-logits.ts';
import { readClassVectors } from '../../src/distill/teachers/zero-shot.ts';
import { idx } from '../data/support.ts';
import { indexedPng, withRightSums } from '../support/png.ts';
import { paxRecord, tarOf, withRightTarSums } from '../support/tar.ts';
import { wavFile } from '../support/sound.ts';
import { wordPieces } from '../support/tokenizer.ts';
import { sane } from './reader.ts';
import type { Reader } from './reader.ts';

/** Types of data that one of the readers below is of. */
export const typesRead = new Set<string>();

const rows = (count: number, row: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => row(i)).join('\n');
const ROWS = 24;
const CSV = `a,b,"the label"\n${rows(ROWS, (i) => `${i / 4},${(i * 7) % 11},${i % 2 ? 'yes' : '"no, sir"'}`)}\n`;
const WINDOWS = `x,who,label\n${rows(ROWS, (i) => `${i},p${i >> 2},${i % 8 < 4 ? 'yes' : 'no'}`)}\n`;
const JSONL = rows(ROWS, (i) => JSON.stringify({ features: [i, -i / 2], label: i % 2 ? 'yes' : 'no' }));
const PICTURES = rows(ROWS, (i) =>
  JSON.stringify({
    image: [
      [i, 2],
      [3, i],
    ],
    label: i % 3,
  }),
);
const IMAGES = idx(
  8,
  [ROWS, 3, 4],
  Array.from({ length: ROWS * 12 }, (_, i) => i % 251),
);
const LABELS = idx(
  8,
  [ROWS],
  Array.from({ length: ROWS }, (_, i) => i % 3),
);
const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(path.resolve('test/data/fixtures', name)));

function npy(descr: string, shape: string, body: Uint8Array): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117) + '\n';
  return new Uint8Array(Buffer.concat([Buffer.from('\x93NUMPY\x01\0\x76\0', 'latin1'), Buffer.from(header), body]));
}
const SAMPLES = npy(
  '<f4',
  `${ROWS}, 2`,
  new Uint8Array(Float32Array.from({ length: 2 * ROWS }, (_, i) => i / 3).buffer),
);
const CLASSES = npy(
  '<i8',
  `${ROWS},`,
  new Uint8Array(BigInt64Array.from({ length: ROWS }, (_, i) => BigInt(i % 2)).buffer),
);
const WORDS = npy('|S3', `${ROWS},`, Buffer.from('yesno\0'.repeat(ROWS / 2)));

const picture = async (shade: number): Promise<Uint8Array> =>
  new Uint8Array(
    await sharp({ create: { width: 6, height: 5, channels: 3, background: { r: shade, g: 9, b: 7 } } })
      .png()
      .toBuffer(),
  );
const ARCHIVED = await Promise.all([1, 2, 3, 4].map((i) => picture(40 * i)));
const PNGS = Object.fromEntries(
  await Promise.all(
    ['a/1', 'a/2', 'a/3', 'b/1', 'b/2', 'b/3'].map(
      async (name, i) => [`pics/${name}.png`, await picture(40 * i)] as const,
    ),
  ),
);

/** A picture of each other kind that is decoded, with noise in it, under a name that image folders read. */
const OTHER_PICTURES = await Promise.all(
  (['jpeg', 'webp', 'gif', 'tiff', 'avif'] as const).map(async (format) => {
    const noise = Uint8Array.from({ length: 6 * 5 * 3 }, (_, i) => (i * i * 31) % 256);
    const bytes = await sharp(noise, { raw: { width: 6, height: 5, channels: 3 } })
      .toFormat(format)
      .toBuffer();
    return [format, { ...PNGS, 'pics/a/1.png': new Uint8Array(bytes) }] as const;
  }),
);

/** Pictures and masks of four classes, some pixels of which have none. */
const SCENES = Object.fromEntries(
  await Promise.all(
    ['1', '2', '3', '4'].map(async (name, i) => {
      const size = { height: 6, width: 10 };
      const classes = Uint8Array.from({ length: 60 }, (_, at) => (at % 7 === 0 ? 255 : (at + i) % 4));
      const grey = await sharp(new Uint8Array(180).fill(40 * i), { raw: { ...size, channels: 3 } })
        .png()
        .toBuffer();
      return [
        [`scenes/images/${name}.png`, new Uint8Array(grey)],
        [`scenes/masks/${name}.png`, indexedPng(classes, size)],
      ] as const;
    }),
  ).then((files) => files.flat()),
);
const SCENE_FILES = { ...SCENES, 'scenes/labels.txt': '__ignore__\nsky\ncat\ndog\nroad\n' };

/** Four pictures with boxes, as each format has them. */
const BOXED = [1, 2, 3, 4];
const boxedPictures = async (folder: string): Promise<[string, Uint8Array][]> =>
  Promise.all(BOXED.map(async (i): Promise<[string, Uint8Array]> => [`${folder}/${i}.png`, await picture(40 * i)]));
const COCO = JSON.stringify({
  images: BOXED.map((id) => ({ id, file_name: `${id}.png`, height: 5, width: 6 })),
  categories: [1, 2].map((id) => ({ id, name: `kind ${id}` })),
  annotations: BOXED.map((id) => ({ id, image_id: id, category_id: 1 + (id % 2), bbox: [1, 0.5, id, 3], area: 7, iscrowd: 0 })), // prettier-ignore
});
const VOC = `<annotation><size><width>6</width><height>5</height></size>
${['cat', 'dog'].map((name, i) => `<object><name>${name}</name><difficult>${i}</difficult><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>${4 + i}</xmax><ymax>5</ymax></bndbox></object>`).join('\n')}
</annotation>`;
const COCO_FILES = { ...Object.fromEntries(await boxedPictures('pics')), 'coco.json': COCO };
const YOLO_FILES = {
  ...Object.fromEntries(await boxedPictures('images')),
  ...Object.fromEntries(BOXED.map((i) => [`labels/${i}.txt`, `${i % 2} 0.5 0.5 0.25 0.${i}\n0 0.75 0.25 0.1 0.2\n`])),
  'data.yaml': 'train: images # here\nnames:\n  0: cat\n  1: "dog"\nnc: 2\n',
};
const VOC_FILES = {
  ...Object.fromEntries(await boxedPictures('voc/JPEGImages')),
  ...Object.fromEntries(BOXED.map((i) => [`voc/Annotations/${i}.xml`, VOC])),
};
const readCoco = dataset((at) => ({
  ...{ type: 'coco', task: 'detection', maxBoxes: 9, train: { images: at('pics'), labels: at('coco.json') } },
  validation: 1,
}));
const MASKS = JSON.stringify({
  ...(JSON.parse(COCO) as object),
  annotations: BOXED.map((i) => ({
    ...{ image_id: i, category_id: 1 + (i % 2) },
    segmentation: i % 2 === 0 ? [[0, 0, 3, 1, 2, 4, 0, 3]] : { size: [5, 6], counts: i === 1 ? [2, 8, 20] : '68`0' },
  })),
});
const readCocoMasks = dataset((at) => ({
  ...{ type: 'coco', task: 'segmentation', stride: 1, train: { images: at('pics'), labels: at('coco.json') } },
  validation: 1,
}));
const readYolo = dataset((at) => ({ type: 'yolo', task: 'detection', maxBoxes: 9, train: at('data.yaml'), validation: 1 })); // prettier-ignore
const readVoc = dataset((at) => ({ type: 'voc', task: 'detection', maxBoxes: 9, train: at('voc'), validation: 1 }));

/** Two points in each of the boxed pictures, as each format has them. */
const POINTS_CSV = `file,nose_x,nose_y,nose_v,tail_x,tail_y,tail_v\n${BOXED.map((i) => `pics/${i}.png,${i},0.5,2,2,${i - 0.5},${i % 3}`).join('\n')}\n`;
const KEY_POINTS = JSON.stringify({
  images: BOXED.map((id) => ({ id, file_name: `${id}.png`, height: 5, width: 6 })),
  categories: [{ id: 1, name: 'mouse', keypoints: ['nose', 'tail'], skeleton: [[1, 2]] }],
  annotations: BOXED.map((id) => ({
    id,
    image_id: id,
    category_id: 1,
    bbox: [0, 0.5, id, 3],
    area: 7,
    iscrowd: 0,
    keypoints: [id, 0.5, 2, 2, 3, id % 3],
    num_keypoints: id % 3 === 0 ? 1 : 2,
  })),
});
const POINTS_FILES = { ...COCO_FILES, 'points.csv': POINTS_CSV, 'coco.json': KEY_POINTS };
const POSE_FILES = {
  ...YOLO_FILES,
  ...Object.fromEntries(
    BOXED.map((i) => [`labels/${i}.txt`, `0 0.5 0.5 0.25 0.${i} 0.5 0.${i} 2 0.25 0.75 ${i % 3}\n`]),
  ),
  'data.yaml':
    'train: images\nnames:\n  0: mouse\nkpt_shape: [2, 3] # here\nkpt_names: { 0: [nose, tail] }\nflip_idx: [0, 1]\n',
};
const readPoints = (train: (at: (file: string) => string) => unknown): Reader['read'] =>
  dataset(
    (at) =>
      ({
        type: 'points',
        task: 'points',
        train: train(at),
        resize: [4, 4],
        validation: 1,
      }) as DatasetConfig,
  );

const CIFAR = Uint8Array.from({ length: 6 * 3073 }, (_, i) => (i % 3073 === 0 ? (i / 3073) % 3 : i % 251));
const CIFAR_100 = Uint8Array.from({ length: 6 * 3074 }, (_, i) => (i % 3074 < 2 ? Math.floor(i / 3074) % 3 : i % 251));

/** Letters that a header of an archive has no room for. */
const LONG = `${'folder/'.repeat(20)}a`;
/** An archive of pictures and classes under such names, and with the size of each in a member of its own. */
function archive(form: 'ustar' | 'gnu' | 'pax', key: string, isSized = false): Pick<Reader, 'files' | 'read'> {
  const members = ARCHIVED.flatMap((content, i) => [
    { name: `${key}${i}.png`, content },
    { name: `${key}${i}.cls`, content: i % 2 === 0 ? 'cat' : 'dog' },
  ]);
  const sizeOf = (content: Uint8Array | string) => ({ name: 'PaxHeaders/x', type: 'x', content: paxRecord('size', String(content.length)) }); // prettier-ignore
  const all = isSized ? members.flatMap((one) => [sizeOf(one.content), one]) : members;
  return {
    files: { 'd.tar': new Uint8Array(tarOf(all, form)) },
    read: dataset((at) => ({ type: 'webdataset', train: at('d.tar'), validation: 1 })),
  };
}

const CONLL = rows(ROWS, (i) => (i % 5 === 4 ? '' : `word${i % 7}\t${i % 2 ? 'B-LOC' : 'O'}`));

const tone = (step: number, header?: Parameters<typeof wavFile>[1]): Uint8Array =>
  wavFile(
    Array.from({ length: 60 }, (_, i) => Math.sin(step * i) / 2),
    { rate: 100, ...header },
  );
const SOUNDS = Object.fromEntries(
  ['a/1', 'a/2', 'a/3', 'b/1', 'b/2', 'b/3'].map((name, i) => [`tones/${name}.wav`, tone(1 + i)]),
);
const readSound = dataset((at) => ({
  type: 'audio-folder',
  train: at('tones'),
  validation: 2,
  rate: 80,
  seconds: 0.5,
}));

const TEXTS = rows(ROWS, (i) => JSON.stringify({ text: i % 2 ? 'my lost card' : 'the new fee', label: i % 2 }));
const words = wordPieces(['my', 'lost', 'card', 'the', 'new', 'fee', 'fees', 's']);
const TEXT_FILES = Object.fromEntries(
  ['a/1', 'a/2', 'b/1', 'b/2'].map((name, i) => [`texts/${name}.txt`, `my lost card ${i} ß`]),
);
const template = {
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: '[CLS]', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
  special_tokens: { '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] } },
};
const pieces = {
  added_tokens: [{ id: 0, content: '<pad>', special: true, normalized: false }],
  normalizer: {
    type: 'Sequence',
    normalizers: [{ type: 'NFKC' }, { type: 'Replace', pattern: { String: ' ' }, content: '_' }],
  },
  pre_tokenizer: { type: 'Split', pattern: { Regex: '_+' }, behavior: 'MergedWithNext', invert: false },
  post_processor: template,
  padding: { pad_id: 0 },
  model: {
    ...{ type: 'Unigram', unk_id: 1, byte_fallback: false },
    vocab: [
      ['<pad>', 0],
      ['<unk>', 0],
      ...Array.from('abcdefghijklmnopqrstuvwxyz_', (letter) => [letter, -3]),
      ['_card', -2],
    ],
  },
};
const pairs = {
  added_tokens: [],
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
  model: {
    ...{ type: 'BPE', unk_token: null },
    vocab: Object.fromEntries(
      [...Array.from('abcdefghijklmnopqrstuvwxyz\u0120'), 'ca', 'car', 'rd'].map((token, id) => [token, id]),
    ),
    merges: ['c a', 'ca r', ['r', 'd']],
  },
};
function tokenizer(json: object): Reader {
  return {
    ...{ files: { 't.json': JSON.stringify(json, null, 1), 'd.jsonl': TEXTS }, damaged: 't.json', text: true },
    read: dataset((at) => ({
      ...{ type: 'jsonl', train: at('d.jsonl'), validation: 4 },
      text: { column: 'text', tokenizer: at('t.json'), length: 8 },
    })),
  };
}

/** What a run does first with its data set. */
function dataset(config: (at: (file: string) => string) => DatasetConfig): Reader['read'] {
  typesRead.add(config((file) => file).type);
  return async (folder) => {
    const { train, validation } = await loadDataset(config((file) => path.join(folder, file)));
    for (const split of [train, validation]) checkSplit(split);
  };
}

function checkSplit(split: Dataset): void {
  const { samples, targets: labels, sampleShape, count, classNames, task, text, maxBoxes } = split;
  if (task === 'points') {
    const width = pointsWidth(classNames.length);
    for (let row = 0; row < count; row++)
      for (const { x, y, visibility } of labelledPoints(labels, row * width, classNames.length)) {
        sane([0, 1, 2].includes(visibility), `a point has the visibility ${visibility}`);
        sane(visibility === 0 || (0 <= x && x <= 1 && 0 <= y && y <= 1), `a point lies at ${x}, ${y}`);
      }
    sane(labels.length === count * width, `it has ${labels.length} numbers`);
    return;
  }
  if (task === 'next-token') {
    const width = text!.length + TAIL;
    sane(count > 0 && labels.length === count * width, `it has ${count} samples and ${labels.length} labels`);
    sane(
      labels.every((id, i) => i % width >= text!.length || (id >= NO_TOKEN && id < classNames.length)),
      'some labels are no token',
    );
    sane(
      samples.every((id) => id >= 0 && id < text!.vocabulary),
      'some values are no token',
    );
    return;
  }
  if (maxBoxes !== undefined) {
    for (let row = 0; row < count; row++)
      for (const { label, xmin, ymin, xmax, ymax, area } of boxesOf(labels, row * boxesWidth(maxBoxes), maxBoxes)) {
        sane(label >= 0 && label < classNames.length && Number.isInteger(label), `a box has the class ${label}`);
        sane(0 <= xmin && xmin < xmax && xmax <= 1 && 0 <= ymin && ymin < ymax && ymax <= 1, 'a box lies outside');
        sane(area >= 0 && Number.isFinite(area), `a box has the area ${area}`);
      }
    sane(labels.length === count * boxesWidth(maxBoxes), `it has ${labels.length} numbers`);
    return;
  }
  const isMask = task === 'segmentation';
  // Words have a tag each, and -1 where there is none.
  const [each, least] = isMask
    ? [countOfPixels(sampleShape), 0]
    : text?.tokenizer === 'bytes'
      ? [text.length, -1]
      : [1, 0];
  sane(count > 0 && labels.length === count * each, `it has ${count} samples and ${labels.length} labels`);
  sane(
    sampleShape.every((size) => Number.isSafeInteger(size) && size > 0),
    `samples are [${sampleShape.join(', ')}]`,
  );
  sane(samples.length === count * countOfElements(sampleShape), `it has ${samples.length} values`);
  sane(samples.every(Number.isFinite), 'some values are not finite');
  sane(
    labels.every((label) => (label >= least && label < classNames.length) || (isMask && label === IGNORED)),
    'some labels are no class',
  );
}

const idxFiles = { 'x.idx': IMAGES, 'y.idx': LABELS };
const readIdx = dataset((at) => ({ type: 'idx', train: { images: at('x.idx'), labels: at('y.idx') } }));
const npyFiles = { 'x.npy': SAMPLES, 'y.npy': CLASSES };
const readNpy = dataset((at) => ({ type: 'npz', train: { samples: at('x.npy'), labels: at('y.npy') } }));
const readPng = dataset((at) => ({ type: 'image-folder', train: at('pics'), validation: 2 }));
const readScenes = dataset((at) => ({
  ...{ type: 'mask-folder', task: 'segmentation', stride: 2, train: at('scenes'), validation: 1 },
}));
const readTable = (config: object = {}): Reader['read'] =>
  dataset((at) => ({ type: 'parquet', train: at('d.parquet'), validation: 2, ...config }));

const LOGITS = npy(
  '<f4',
  `${ROWS}, 2`,
  new Uint8Array(Float32Array.from({ length: 2 * ROWS }, (_, i) => +(i % 4 === 0 || i % 4 === 3)).buffer),
);
const VECTORS = npy('<f4', '2, 3', new Uint8Array(Float32Array.of(1, 0, 2, 0, 3, 1).buffer));

export const dataReaders: Readonly<Record<string, Reader>> = {
  'IDX images': { files: idxFiles, damaged: 'x.idx', read: readIdx },
  'IDX labels': { files: idxFiles, damaged: 'y.idx', read: readIdx },
  CSV: {
    ...{ files: { 'd.csv': CSV }, damaged: 'd.csv', text: true },
    read: dataset((at) => ({ type: 'csv', train: at('d.csv'), label: 'the label' })),
  },
  'CSV, cut into windows': {
    ...{ files: { 'd.csv': WINDOWS }, damaged: 'd.csv', text: true },
    read: dataset((at) => ({ type: 'csv', train: at('d.csv'), window: { steps: 2, stride: 1, group: 'who' } })),
  },
  'CSV with gaps': {
    ...{ files: { 'd.csv': CSV.replace('1,', ',') }, damaged: 'd.csv', text: true },
    read: dataset((at) => ({ type: 'csv', train: at('d.csv'), label: -1, missing: 'mean' })),
  },
  PNG: { files: PNGS, damaged: 'pics/a/1.png', read: readPng },
  'PNG with right checksums': { files: PNGS, damaged: 'pics/a/1.png', read: readPng, mended: withRightSums },
  ...Object.fromEntries(
    OTHER_PICTURES.map(([format, files]) => [
      format.toUpperCase(),
      {
        files,
        damaged: 'pics/a/1.png',
        read: dataset((at) => ({ type: 'image-folder', train: at('pics'), validation: 2, resize: [4, 4] })),
      },
    ]),
  ),
  Masks: { files: SCENE_FILES, damaged: 'scenes/masks/2.png', read: readScenes },
  'Masks with right checksums': {
    ...{ files: SCENE_FILES, damaged: 'scenes/masks/2.png', mended: withRightSums },
    read: readScenes,
  },
  'Class names of masks': { files: SCENE_FILES, damaged: 'scenes/labels.txt', text: true, read: readScenes },
  COCO: { files: COCO_FILES, damaged: 'coco.json', text: true, read: readCoco },
  'Masks in COCO': {
    files: { ...COCO_FILES, 'coco.json': MASKS },
    damaged: 'coco.json',
    text: true,
    read: readCocoMasks,
  },
  "YOLO's boxes": { files: YOLO_FILES, damaged: 'labels/2.txt', text: true, read: readYolo },
  "YOLO's data.yaml": { files: YOLO_FILES, damaged: 'data.yaml', text: true, read: readYolo },
  'Pascal VOC': { files: VOC_FILES, damaged: 'voc/Annotations/3.xml', text: true, read: readVoc },
  'Points in CSV': {
    files: POINTS_FILES,
    damaged: 'points.csv',
    text: true,
    read: readPoints((at) => at('points.csv')),
  },
  'Points in COCO': {
    files: POINTS_FILES,
    damaged: 'coco.json',
    text: true,
    read: readPoints((at) => ({ images: at('pics'), labels: at('coco.json') })),
  },
  "Points in YOLO's labels": {
    files: POSE_FILES,
    damaged: 'labels/2.txt',
    text: true,
    read: readPoints((at) => at('data.yaml')),
  },
  'CIFAR-10': {
    ...{ files: { 'c.bin': CIFAR }, damaged: 'c.bin' },
    read: dataset((at) => ({ type: 'cifar10', train: at('c.bin'), validation: 2 })),
  },
  'CIFAR-100': {
    ...{ files: { 'c.bin': CIFAR_100 }, damaged: 'c.bin' },
    read: dataset((at) => ({ type: 'cifar100', train: at('c.bin'), validation: 2 })),
  },
  WebDataset: { ...archive('ustar', 'a'), damaged: 'd.tar' },
  'WebDataset with right checksums': { ...archive('ustar', 'a'), damaged: 'd.tar', mended: withRightTarSums },
  'WebDataset with names of GNU': { ...archive('gnu', LONG), damaged: 'd.tar', mended: withRightTarSums },
  'WebDataset with names of pax': { ...archive('pax', LONG), damaged: 'd.tar', text: true, mended: withRightTarSums },
  'WebDataset with sizes of pax': { ...archive('pax', 'a', true), damaged: 'd.tar', text: true, mended: withRightTarSums }, // prettier-ignore
  'Folder of texts': {
    files: { ...TEXT_FILES, 't.json': JSON.stringify(words) },
    ...{ damaged: 'texts/a/1.txt', text: true },
    read: dataset((at) => ({
      ...{ type: 'text-folder', train: at('texts'), validation: 1 },
      text: { column: 'text', tokenizer: at('t.json'), length: 8 },
    })),
  },
  'Texts in JSON lines': {
    ...{ files: { 'd.jsonl': '{"text": "one two"}\n{"text": "three"}\n' }, damaged: 'd.jsonl', text: true },
    read: dataset((at) => ({
      ...{ type: 'texts', train: at('d.jsonl'), validation: 1, task: 'next-token' },
      text: { tokenizer: 'bytes', length: 4 },
    })),
  },
  CoNLL: {
    ...{ files: { 'd.conll': CONLL }, damaged: 'd.conll', text: true },
    read: dataset((at) => ({
      ...{ type: 'conll', train: at('d.conll'), validation: 1, task: 'tagging' },
      text: { column: 0, tokenizer: 'bytes', length: 16 },
    })),
  },
  'CSV, packed': {
    ...{ files: { 'd.csv.gz': new Uint8Array(gzipSync(CSV)) }, damaged: 'd.csv.gz' },
    read: dataset((at) => ({ type: 'csv', train: at('d.csv.gz'), label: 'the label' })),
  },
  'IDX images, packed': {
    ...{ files: { ...idxFiles, 'x.idx': new Uint8Array(gzipSync(IMAGES)) }, damaged: 'x.idx' },
    read: readIdx,
  },
  WAV: { files: SOUNDS, damaged: 'tones/a/1.wav', read: readSound },
  'WAV of floats in two channels': {
    files: { ...SOUNDS, 'tones/a/1.wav': tone(2, { tag: 3, bits: 32, channels: 2 }) },
    damaged: 'tones/a/1.wav',
    read: readSound,
  },
  'WAV, as features of microcontrollers': {
    files: SOUNDS,
    damaged: 'tones/a/1.wav',
    read: dataset((at) => ({ type: 'micro-features', train: at('tones'), validation: 2, seconds: 0.05 })),
  },
  'tokenizer.json of word pieces': tokenizer(words),
  'tokenizer.json of likely pieces': tokenizer(pieces),
  'tokenizer.json of byte pairs': tokenizer(pairs),
  'logits of a teacher': {
    ...{ files: { ...npyFiles, 'logits.npy': LOGITS }, damaged: 'logits.npy' },
    read: async (folder) => {
      const at = (name: string): string => path.join(folder, name);
      const train = { samples: at('x.npy'), labels: at('y.npy') };
      const { train: split } = await loadDataset({ type: 'npz', train, validation: 2 });
      await storedLogits((await readStoredLogits(at('logits.npy'))).content, at('logits.npy'), split);
    },
  },
  'vectors of classes': {
    ...{ files: { 'v.npz': zipSync({ 'all.npy': VECTORS }, { level: 0, mtime: '2020-01-01' }) }, damaged: 'v.npz' },
    read: async (folder) => {
      const file = path.join(folder, 'v.npz');
      const { values } = await readClassVectors(file, file, ['no', 'yes']);
      sane(values.every(Number.isFinite), 'a vector is not finite');
    },
  },
  'NumPy samples': { files: npyFiles, damaged: 'x.npy', read: readNpy },
  'NumPy labels': { files: npyFiles, damaged: 'y.npy', read: readNpy },
  'NumPy labels that are words': { files: { ...npyFiles, 'y.npy': WORDS }, damaged: 'y.npy', read: readNpy },
  npz: {
    ...{ files: { 'd.npz': zipSync(npyFiles, { level: 0, mtime: '2020-01-01' }) }, damaged: 'd.npz' },
    read: dataset((at) => ({ type: 'npz', train: { file: at('d.npz') } })),
  },
  'npz, compressed': {
    ...{ files: { 'd.npz': fixture('arrays.npz') }, damaged: 'd.npz' },
    read: dataset((at) => ({
      type: 'npz',
      train: { file: at('d.npz'), samples: 'half', labels: 'flag' },
      validation: { file: at('d.npz'), samples: 'half', labels: 'flag' },
    })),
  },
  'Parquet of columns': {
    ...{ files: { 'd.parquet': fixture('table.parquet') }, damaged: 'd.parquet' },
    read: readTable({ label: 'kind', missing: 'zero', validation: 1 }),
  },
  'Parquet of lists': {
    files: { 'd.parquet': fixture('lists.parquet') },
    damaged: 'd.parquet',
    read: dataset((at) => ({ type: 'parquet', train: at('d.parquet'), validation: at('d.parquet') })),
  },
  'Parquet of images': { files: { 'd.parquet': fixture('images.parquet') }, damaged: 'd.parquet', read: readTable() },
  JSONL: {
    ...{ files: { 'd.jsonl': JSONL }, damaged: 'd.jsonl', text: true },
    read: dataset((at) => ({ type: 'jsonl', train: at('d.jsonl') })),
  },
  'JSONL of pictures': {
    ...{ files: { 'd.jsonl': PICTURES }, damaged: 'd.jsonl', text: true },
    read: dataset((at) => ({ type: 'jsonl', train: at('d.jsonl'), features: 'image' })),
  },
};
