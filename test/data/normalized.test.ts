// Needs the features android, ios and react-native.
import vm from 'node:vm';
import typescript from 'typescript';
import { sampleWriter } from '../../src/data/batches/samples.ts';
import { countOfElements, countOfPixels } from '../../src/data/dataset.ts';
import type { Dataset, Normalization } from '../../src/data/dataset.ts';
import { byteTable, channelsFirst } from '../../src/data/normalize.ts';
import { preparationAffine, preprocess } from '../../src/distill/teachers/inputs/preprocess.ts';
import { preparedQuestion } from '../../src/page/browser/try/frame.ts';
import type { Described } from '../../src/page/browser/card.ts';
import type { Canvas } from '../../src/page/browser/dom.ts';
import { loadForm } from '../../src/serve/v1/forms.ts';
import { translationOf } from '../../src/observers/shadow/preparation.ts';
import { prepared } from '../../src/serve/v1/preparation.ts';
import { browserSample } from '../../src/consumers/browser/page.ts';
import { nodeSample } from '../../src/consumers/node/program.ts';
import { phoneSamples } from '../support/phones.ts';

/** Two samples, [2, ...shape], and their normalization. */
interface Case {
  readonly values: Float32Array | Uint8Array;
  readonly shape: readonly number[];
  readonly normalization: Normalization;
}

const bytes = (count: number) => Uint8Array.from({ length: count }, (_, i) => (i * 83 + 7) % 256);
const numbers = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i) * 10 ** (i % 5));

const CASES: Readonly<Record<string, Case>> = {
  'colour pictures': {
    ...{ values: bytes(2 * 4 * 3 * 3), shape: [4, 3, 3] },
    normalization: { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  },
  'grey pictures': {
    ...{ values: bytes(2 * 3 * 5), shape: [3, 5, 1] },
    normalization: { scale: 1 / 255, mean: [0.2860406], std: [0.3530242] },
  },
  'pictures of numbers': {
    ...{ values: numbers(2 * 2 * 3 * 3), shape: [2, 3, 3] },
    normalization: { scale: 0.1, mean: [0, -1.7, 1e3], std: [1, 0.3, 77.7] },
  },
  sequences: {
    ...{ values: numbers(2 * 5 * 2), shape: [5, 2] },
    normalization: { scale: 1, mean: [9.81, -0.003], std: [3.3, 0.07] },
  },
  tables: {
    ...{ values: numbers(2 * 4), shape: [4] },
    normalization: { scale: 1, mean: [1 / 3, 2 / 3, 1e-7, 1e6], std: [1 / 7, 5, 1e-4, 123_456.7] },
  },
  unchanged: { values: numbers(2 * 4), shape: [4], normalization: { scale: 1, mean: [0, 0, 0, 0], std: [1, 1, 1, 1] } },
};

/** Expected values, [2, ...shape]. */
function expected({ values, normalization: { scale, mean, std } }: Case): Float32Array {
  return Float32Array.from(values, (value, i) => (value * scale - mean[i % mean.length]!) / std[i % std.length]!);
}

type Place = (given: Case) => Float32Array | Promise<Float32Array>;

/** Samples one by one, as the programs of kits take them. */
function each({ values, shape }: Case, prepare: (raw: number[]) => ArrayLike<number>): Float32Array {
  const size = countOfElements(shape);
  return Float32Array.from([0, 1].flatMap((i) => Array.from(prepare([...values.slice(i * size, (i + 1) * size)]))));
}

const plain = (script: string) => script.replaceAll(/^import .*$/gm, '').replaceAll('export ', '');

/** The function `prepare` of a script of a kit, with the module beside it. */
function prepareOf(files: Readonly<Record<string, string>>, script: string, { shape, normalization }: Case) {
  const [own] = /^export function prepare\([^]*?^}$/m.exec(files[script]!)!;
  const context = { input: { shape: [1, ...shape] }, normalization };
  return vm.runInNewContext(`${plain(files['normalized.js']!)}${plain(own)}; prepare`, context) as (
    raw: number[],
  ) => Float32Array;
}

/** Value of an expression of Kotlin or Swift, after small changes also one of JavaScript, for each value of a sample. */
function phone(expression: string, given: Case): Float32Array {
  const { scale, mean, std } = given.normalization;
  const names = { ...{ scale, mean, std, channels: mean.length }, normalization: { scale, mean, std } };
  const script = expression.replaceAll('.size', '.length').replace('.toFloat()', '').replace('value', 'raw[i]');
  const valueOf = vm.runInNewContext(`(raw, i) => ${script}`, { ...names, Float: Math.fround }) as (
    raw: readonly number[],
    i: number,
  ) => number;
  return each(given, (raw) => raw.map((_, i) => valueOf(raw, i)));
}

/** A served model whose file states the preparation, or prepares nothing. */
function known(fed: readonly number[], { shape, normalization }: Case, layout?: 'nchw') {
  const input = { name: 'x', dtype: 'float32', shape: ['batch', ...fed] } as const;
  const facts = { inputs: [input], outputs: [], batching: { kind: 'any' }, cost: [], notes: [] } as const;
  const preprocessing = { shape, ...normalization, ...(layout && { layout }) };
  return { facts, metadata: new Map([['preprocessing', JSON.stringify(preprocessing)]]) };
}

const unchanged = (given: Case): Case => ({
  ...given,
  normalization: { scale: 1, mean: given.normalization.mean.map(() => 0), std: given.normalization.std.map(() => 1) },
});
const first = (shape: readonly number[]) => [shape.at(-1)!, ...shape.slice(0, -1)];

/** [2, channels, pixels] as [2, pixels, channels]. */
function last(values: Float32Array, { shape }: Case): Float32Array {
  const [channels, pixels] = [shape.at(-1)!, countOfPixels(shape)];
  return Float32Array.from(values, (_, i) => {
    const within = i % (channels * pixels);
    return values[i - within + (within % channels) * pixels + Math.floor(within / channels)]!;
  });
}

const isColourOrGrey = ({ values }: Case) => values instanceof Uint8Array;

/** What the page reads of a canvas with a picture. */
function canvasOf(raw: readonly number[], shape: readonly number[]): Canvas {
  const [height, width, channels] = shape as [number, number, number];
  const data = Uint8ClampedArray.from({ length: 4 * height * width }, (_, i) =>
    i % 4 === 3 ? 255 : raw[Math.floor(i / 4) * channels + Math.min(i % 4, channels - 1)]!,
  );
  return { width, height, getContext: () => ({ getImageData: () => ({ data }) }) } as unknown as Canvas;
}

beforeAll(() => loadForm({ logits: true }));

const PLACES: Readonly<Record<string, Place>> = {
  training: ({ values, shape, normalization }) => {
    const write = sampleWriter({ samples: values, sampleShape: shape, normalization } as unknown as Dataset);
    const out = new Float32Array(values.length);
    for (const row of [1, 0]) write(row, out, row * countOfElements(shape));
    return out;
  },
  'training, of floats': (given) => PLACES['training']!({ ...given, values: Float32Array.from(given.values) }),
  'a teacher with its channels first': (given) => {
    const { sampleShape, ...own } = { ...unchanged(given), sampleShape: given.shape };
    const affine = preparationAffine({ sampleShape, normalization: own.normalization }, undefined);
    return last(preprocess(expected(given), sampleShape, { ...affine, layout: 'nchw' }), given);
  },
  'a model with its channels first': (given) => last(channelsFirst(expected(given), given.shape), given),
  server: ({ values, shape, normalization }) => prepared(values, { shape, normalization, logits: true }),
  'server, channels first': (given) => last(prepared(given.values, { ...given, layout: 'nchw', logits: true }), given),
  'shadow of a model that prepares nothing': (given) =>
    translationOf(known(given.shape, unchanged(given)), known(given.shape, given), 't.onnx').toTeacher(
      Float32Array.from(given.values),
    ),
  'shadow, channels first': (given) => {
    if (given.shape.length === 1) return expected(given);
    const teacher = known(first(given.shape), given, 'nchw');
    const { toTeacher } = translationOf(known(given.shape, unchanged(given)), teacher, 't.onnx');
    return last(toTeacher(Float32Array.from(given.values)), given);
  },
  'page of a server': (given) => {
    if (!isColourOrGrey(given)) return expected(given);
    return each(given, (raw) => {
      const { body } = preparedQuestion(canvasOf(raw, given.shape), given as unknown as Described);
      return (JSON.parse(body as string) as { inputs: number[][][] }).inputs.flat(2);
    });
  },
  'program for Node': async (given) =>
    each(given, prepareOf(await nodeSample('classes', 'numbers'), 'classify.mjs', given)),
  'page of a kit': async (given) =>
    each(given, prepareOf(await browserSample('classes', new Set(['onnx']), 'numbers'), 'kit.js', given)),
  'React Native': async (given) => {
    const samples = await phoneSamples();
    const compilerOptions = { module: typescript.ModuleKind.CommonJS, target: typescript.ScriptTarget.ES2022 };
    const { outputText } = typescript.transpileModule(samples['react-native/classifier.ts']!, { compilerOptions });
    const fed: number[] = [];
    const run = (parts: readonly Float32Array[]) => Promise.resolve([fed.push(...parts[0]!) > 0 && parts[0]!]);
    const beside: unknown = vm.runInNewContext(`${plain(samples['react-native/normalized.js']!)}; normalized`);
    const require = () => ({ normalized: beside, loadTensorflowModel: () => Promise.resolve({ run }) });
    const open = vm.runInNewContext(`${outputText}; exports.openClassifier`, { exports: {}, require }) as (
      ...given: unknown[]
    ) => Promise<(raw: ArrayLike<number>) => Promise<unknown>>;
    const { shape, normalization, values } = given;
    const size = countOfElements(shape);
    const model = { format: 'tflite', inputs: [{ dtype: 'float32', shape: [1, ...shape], from: 0 }] };
    const classify = await open(0, { input: { shape: [1, ...shape] }, normalization, models: [model] }, []);
    for (const i of [0, 1]) await classify(values.slice(i * size, (i + 1) * size));
    return Float32Array.from(fed);
  },
  Kotlin: async (given) => {
    const source = (await phoneSamples())['android/Classifier.kt']!;
    return phone(/\(\(value \*.*\.toFloat\(\)/.exec(source)![0], given);
  },
  Swift: async (given) => {
    const source = (await phoneSamples())['ios/Classifier.swift']!;
    return phone(/Float\(\(value \*.*\)/.exec(source)![0], given);
  },
};

const TABLE = Object.keys(CASES).flatMap((name) => Object.keys(PLACES).map((place) => [name, place] as const));

it.each(TABLE)('%s are prepared as everywhere else: %s', async (name, place) => {
  const given = CASES[name]!;
  const found = await PLACES[place]!(given);
  expect([...new Uint32Array(found.buffer)]).toEqual([...new Uint32Array(expected(given).buffer)]);
});

it('a teacher with a preparation of its own gets it from the samples of the student', () => {
  for (const given of Object.values(CASES)) {
    const { normalization } = unchanged(given);
    const affine = preparationAffine({ sampleShape: given.shape, normalization }, given.normalization);
    const found = preprocess(Float32Array.from(given.values), given.shape, { ...affine, layout: 'nhwc' });
    expected(given).forEach((value, i) => expect(found[i]).toBeCloseTo(value, 2));
  }
});

it('every 8-bit value is in the table of its channel', () => {
  const { normalization } = CASES['colour pictures']!;
  const table = byteTable(normalization);
  const { scale, mean, std } = normalization;
  expect(table).toEqual(Float32Array.from(table, (_, i) => ((i & 255) * scale - mean[i >> 8]!) / std[i >> 8]!));
});
