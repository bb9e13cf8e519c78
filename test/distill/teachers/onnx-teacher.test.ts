import { sum } from '../../../src/base/numbers.ts';
import { viewOf } from '../../../src/data/batches/batches.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { alternativesOf } from '../../../src/distill/preflight/alternatives.ts';
import { onnxTeacher } from '../../../src/distill/teachers/onnx-teacher.ts';
import type { OnnxTeacherSettings, OnnxTeacherSource } from '../../../src/distill/teachers/onnx-teacher.ts';
import { accuracyOf } from '../../../src/tasks/classification/chance.ts';
import type { Teacher } from '../../../src/distill/teachers/teacher.ts';
import { plainLogits, preflight } from '../../../src/distill/preflight/preflight.ts';
import type { PreflightOptions } from '../../../src/distill/preflight/preflight.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import type { Model } from '../../../src/formats/onnx/model.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import { CLASSES, pictures } from '../../support/dataset.ts';
import { numbers } from '../../support/graphs.ts';
import { pictureModel, pictureTeacher } from '../../support/onnx.ts';
import type { PictureTeacher } from '../../support/onnx.ts';
import '../../support/tasks.ts';

/** A student that sees values a hundred times as large as the teacher does. */
const HUNDREDFOLD = { scale: 1 / 255, mean: [0, 0], std: [0.01, 0.01] };

const DEFAULTS: OnnxTeacherSettings = { layout: 'auto', outputs: 'auto', intermediate: [] };

function source(bytes: Uint8Array, dataset: Dataset = pictures()): OnnxTeacherSource {
  const rows = Int32Array.from({ length: 8 }, (_, i) => i);
  const probe = { x: viewOf(dataset, rows, { seed: 0, view: 0, augment: [] }), n: 8 };
  return { name: 'teacher.onnx', bytes, dataset, probe, session: { executionProviders: ['cpu'] } };
}

function onnxAlternatives(from: OnnxTeacherSource, settings: OnnxTeacherSettings, own: Teacher) {
  return alternativesOf(from.dataset, settings, (change) => onnxTeacher(from, { ...settings, ...change }), own);
}

function accuracyWith(
  file: PictureTeacher,
  settings: Partial<OnnxTeacherSettings> = {},
  dataset: Dataset = pictures(),
): Promise<number> {
  return accuracyWithModel(pictureModel(file), settings, dataset);
}

async function accuracyWithModel(
  model: Model,
  settings: Partial<OnnxTeacherSettings> = {},
  dataset: Dataset = pictures(),
): Promise<number> {
  const teacher = await onnxTeacher(source(encodeModel(model), dataset), { ...DEFAULTS, ...settings });
  const rows = Int32Array.from({ length: dataset.count }, (_, i) => i);
  const logits = await plainLogits(teacher, dataset, rows).finally(() => teacher.dispose());
  return accuracyOf(logits, dataset.targets, 3);
}

describe('an ONNX teacher', () => {
  it.each(['nhwc', 'nchw', 'flat'] as const)('with the layout %s is found out and right', async (layout) => {
    expect(await accuracyWith({ layout })).toBe(1);
  });

  it('of a fixed batch size is asked piece by piece, the last one filled up', async () => {
    for (const batch of [1, 7, 64]) expect(await accuracyWith({ batch })).toBe(1);
  });

  it('with its own normalization sees the raw values through it, whatever the student sees', async () => {
    const student = { scale: 1 / 255, mean: [0.3, 0.4], std: [0.2, 0.25] };
    const dataset = pictures(60, { normalization: student });
    expect(await accuracyWith({ bright: 255 }, { normalize: { scale: 1, mean: 0, std: 1 } }, dataset)).toBe(1);
    expect(await accuracyWith({}, { normalize: { mean: [0, 0], std: [1, 1] } }, dataset)).toBe(1);
    expect(await accuracyWith({}, {}, pictures(60, { normalization: HUNDREDFOLD }))).toBeLessThan(0.5);
  });

  it('with another order of classes answers in that of the data set', async () => {
    const order = [2, 0, 1];
    expect(await accuracyWith({ order })).toBe(0);
    expect(await accuracyWith({ order }, { classes: order.map((label) => CLASSES[label]!) })).toBe(1);
  });

  it('that answers with probabilities is turned into logits that softmax to the same', async () => {
    const dataset = pictures();
    const x = viewOf(dataset, [0, 1], { seed: 0, view: 0, augment: [] });
    const ask = async (softmax: boolean) =>
      softmaxed((await (await onnxTeacher(source(pictureTeacher({ softmax })), DEFAULTS)).answer(x, 2)).logits);
    const [plain, probable] = [await ask(false), await ask(true)];
    plain.forEach((value, i) => expect(probable[i]).toBeCloseTo(value, 5));
  });

  it('whose numbers to predict sum to 1 is asked for them as they are', async () => {
    const dataset: Dataset = { ...pictures(), task: 'regression', targets: new Float32Array(180) };
    const x = viewOf(dataset, [0, 1], { seed: 0, view: 0, augment: [] });
    const teacher = await onnxTeacher(source(pictureTeacher({ softmax: true }), dataset), DEFAULTS);
    const { logits: shares } = await teacher.answer(x, 2);
    expect([0, 3].map((from) => sum(shares.subarray(from, from + 3)))).toEqual([1, 1].map((one) => expect.closeTo(one, 5) as number)); // prettier-ignore
  });

  it('of half precision is fed and read in it', async () => {
    expect(await accuracyWithModel(halved(pictureModel()))).toBe(1);
  });

  it('that is fed bytes gets the raw values, which rounding does not change, and nothing else', async () => {
    const { graph, ...rest } = pictureModel({ bright: 255 });
    const cast = { op: 'Cast', domain: '', name: '', inputs: ['bytes'], outputs: ['pixels'], attrs: new Map([['to', { type: 'int' as const, value: 1 }]]) }; // prettier-ignore
    const inputs = graph.inputs.map((input) => ({ ...input, name: 'bytes', dtype: 'uint8' as const }));
    const model = { ...rest, graph: { ...graph, inputs, nodes: [cast, ...graph.nodes] } };
    const normalization = { scale: 1 / 255, mean: [0.3, 0.4], std: [0.2, 0.25] };
    const dataset = pictures(60, { normalization });
    expect(await accuracyWithModel(model, { normalize: { scale: 1, mean: 0, std: 1 } }, dataset)).toBe(1);
    await expect(accuracyWithModel(model, {}, dataset)).rejects.toThrow(
      /input bytes of teacher\.onnx: expected whole numbers from 0 to 255 \(uint8\), received -?\d\.\d+ in the samples/,
    );
    // They would wrap around.
    await expect(accuracyWithModel(model, { normalize: { scale: 2, mean: 0, std: 1 } }, dataset)).rejects.toThrow(
      /expected whole numbers from 0 to 255 \(uint8\), received \d{3} in the samples/,
    );
  });

  it('that gives the label before the scores is read by its scores', async () => {
    const model = pictureModel();
    const [scores] = model.graph.outputs;
    const attrs = new Map([['axis', { type: 'int' as const, value: 1 }]]);
    const top = { op: 'ArgMax', domain: '', name: '', inputs: [scores!.name], outputs: ['label'], attrs };
    const outputs = [{ name: 'label', dtype: 'int64' as const }, scores!];
    const graph = { ...model.graph, nodes: [...model.graph.nodes, top], outputs };
    expect(await accuracyWithModel({ ...model, graph })).toBe(1);
    await expect(accuracyWithModel({ ...model, graph }, { output: 'label' })).rejects.toThrow(/received int64/);
  });

  it('whose answer does not follow the size of the batch is refused', async () => {
    const model = pictureModel();
    const attrs = new Map([['axes', { type: 'ints' as const, value: [0] }]]);
    const mean = { op: 'ReduceMean', domain: '', name: '', inputs: ['scores'], outputs: ['mean'], attrs };
    const outputs = [{ name: 'mean', dtype: 'float32' as const }];
    const graph = { ...model.graph, nodes: [...model.graph.nodes, mean], outputs };
    await expect(accuracyWithModel({ ...model, graph })).rejects.toThrow(/mean is \[1, 3\] for 8 samples/);
  });

  it('gives inner tensors by name, channels last', async () => {
    const model = pictureModel({ layout: 'nchw' });
    const { nodes } = model.graph;
    // The file's input itself, through an Identity, is an inner tensor of known content.
    const inner = { op: 'Identity', domain: '', name: '', inputs: ['pixels'], outputs: ['inner'], attrs: new Map() };
    const bytes = encodeModel({ ...model, graph: { ...model.graph, nodes: [inner, ...nodes] } });
    const teacher = await onnxTeacher(source(bytes), { ...DEFAULTS, intermediate: ['inner'] });
    expect(teacher.featureShapes).toEqual({ inner: [4, 4, 2] });
    const x = viewOf(pictures(), [5, 9], { seed: 0, view: 0, augment: [] });
    expect((await teacher.answer(x, 2)).features['inner']).toEqual(x);
  });

  it('has a key that changes with file, preprocessing and outputs', async () => {
    const key = async (file: PictureTeacher, settings: Partial<OnnxTeacherSettings> = {}) =>
      (await onnxTeacher(source(pictureTeacher(file)), { ...DEFAULTS, ...settings })).key;
    const keys = [
      await key({}),
      await key({ bright: 255 }),
      await key({}, { normalize: { mean: 0.5, std: 0.5 } }),
      await key({ softmax: true }),
      await key({ softmax: true }, { outputs: 'logits' }),
      await key({}, { classes: ['bee', 'ant', 'cow'] }),
    ];
    expect(new Set(keys).size).toBe(6);
    expect(await key({})).toBe(keys[0]);
    const elsewhere = { minAccuracy: 0.5, onnx: '/elsewhere/teacher.onnx' } as object;
    expect(await key({}, elsewhere)).toBe(keys[0]);
  });

  it.each<[string, PictureTeacher, Partial<OnnxTeacherSettings>, RegExp]>([
    [
      'another input shape',
      {},
      { layout: 'nchw' },
      /its input pixels is \[batch, 4, 4, 2\], received samples of shape \[4, 4, 2\] in the layout nchw/,
    ],
    ['an unknown input', {}, { input: 'pixel' }, /teacher\.onnx has no input pixel/],
    ['an unknown output', {}, { output: 'logits' }, /teacher\.onnx has no output logits/],
    ['an unknown inner tensor', {}, { intermediate: ['inner'] }, /has no tensor inner/],
    ['unknown classes', {}, { classes: ['ant', 'bee', 'dog'] }, /received the unknown class dog/],
    ['too few classes', {}, { classes: ['ant', 'bee'] }, /received 2 names/],
    ['a class named twice', {}, { classes: ['ant', 'bee', 'bee'] }, /received the class bee twice/],
    ['logits called probabilities', {}, { outputs: 'probabilities' }, /expected probabilities, received -/],
    [
      'a mean for three channels',
      {},
      { normalize: { mean: [0, 0, 0], std: 1 } },
      /normalize\.mean: expected one number, or 2 for samples of shape \[4, 4, 2\], received 3/,
    ],
  ])('with %s is refused', async (_name, file, settings, message) => {
    await expect(onnxTeacher(source(pictureTeacher(file)), { ...DEFAULTS, ...settings })).rejects.toThrow(message);
  });

  it('that is no ONNX file is refused', async () => {
    await expect(onnxTeacher(source(new TextEncoder().encode('not a model')), DEFAULTS)).rejects.toThrow(
      /not an ONNX file/,
    );
  });
});

describe('before training, a teacher', () => {
  async function check(
    file: PictureTeacher,
    settings: Partial<OnnxTeacherSettings> = {},
    minAccuracy?: number,
    more: PreflightOptions = {},
  ) {
    const dataset = pictures(200);
    const from = source(pictureTeacher(file), dataset);
    const all = { ...DEFAULTS, ...settings };
    const teacher = await onnxTeacher(from, all);
    const alternatives = onnxAlternatives(from, all, teacher);
    return preflight(teacher, dataset, { minAccuracy, alternatives, ...more });
  }

  it('that is right passes', async () => {
    expect(await check({ layout: 'nchw' })).toEqual({ accuracy: 1, samples: 200, warnings: [], changes: [] });
  });

  it('that is asked with probabilities called logits passes with a warning', async () => {
    const { warnings } = await check({ softmax: true }, { outputs: 'logits' });
    expect(warnings).toEqual([expect.stringMatching(/look like probabilities/)]);
  });

  it('with two classes changed over stops the run, though it is better than chance', async () => {
    const attempt = check({ order: [0, 2, 1] }, {}, 0.2);
    await expect(attempt).rejects.toThrow(/right on 33\.\d % of 200 .* in another order it is right on 100\.0 %/);
    await expect(attempt).rejects.toMatchObject({ hint: expect.stringContaining('[ant, cow, bee]') as string });
  });

  it('whose range is evidently wrong stops the run, though it is better than chance, unless the recipe confirms it', async () => {
    const settings = { normalize: { scale: 1.7 / 255, mean: 0, std: 1 } };
    const told = /right on 76\.0 % of 200 .*with the input as the student sees it it is right on 100\.0 %/;
    await expect(check({}, settings)).rejects.toThrow(told);
    // An accuracy that is asked for says nothing of the way in which the teacher is asked.
    await expect(check({}, settings, 0.5)).rejects.toMatchObject({
      hint: expect.stringContaining('confirm them with `teacher.confirmed: true`') as string,
    });
    const { accuracy, warnings } = await check({}, settings, undefined, { confirmed: true });
    expect([accuracy, warnings]).toEqual([0.76, [expect.stringMatching(told)]]);
  });

  it('that is better in another reading by what a few samples can do by chance is only told so', async () => {
    const few = { rows: Int32Array.from({ length: 10 }, (_, i) => i) };
    const { accuracy, warnings } = await check({}, { normalize: { scale: 1.7 / 255, mean: 0, std: 1 } }, 0.1, few);
    expect([accuracy, warnings]).toEqual([0.8, [expect.stringMatching(/it is right on 100\.0 %/)]]);
  });

  it.each<[string, PictureTeacher, Partial<OnnxTeacherSettings>, RegExp, RegExp]>([
    [
      'of another number of classes',
      { classes: 5 },
      { outputs: 'logits' },
      /expected answers for the 3 classes of the data set, received 5/,
      /teacher\.output/,
    ],
    ['without weights', { weights: 'zero' }, {}, /same answer to 200 different samples/, /weights may be missing/],
    ['with NaN in its weights', { weights: 'nan' }, {}, /not finite/, /NaN/],
    [
      'that wants unit values',
      {},
      { normalize: { scale: 1, mean: 0, std: 1 } },
      /with the input as the student sees it it is right on 100\.0 %/,
      /./,
    ],
    [
      'of another order of classes',
      { order: [1, 2, 0] },
      {},
      /with its classes in another order it is right on 100\.0 %/,
      /classes: \[bee, cow, ant\]/,
    ],
  ])('%s stops the run and says so', async (_name, file, settings, message, hint) => {
    const attempt = check(file, settings);
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toMatchObject({ hint: expect.stringMatching(hint) as string });
  });

  it('that wants other values than the student is told which', async () => {
    const dataset = pictures(200, { normalization: HUNDREDFOLD });
    const from = source(pictureTeacher(), dataset);
    const attempt = onnxTeacher(from, DEFAULTS).then((teacher) =>
      preflight(teacher, dataset, { alternatives: onnxAlternatives(from, DEFAULTS, teacher) }),
    );
    await expect(attempt).rejects.toThrow(/with normalize: \{mean: 0, std: 1\} it is right on 100\.0 %/);
  });

  it('whose layout was given wrong is told the right one', async () => {
    // Symbolic sizes fit both layouts.
    const model = pictureModel({ layout: 'nchw' });
    const inputs = model.graph.inputs.map((input) => ({ ...input, dims: ['batch', null, null, null] }));
    const from = source(encodeModel({ ...model, graph: { ...model.graph, inputs } }), pictures(200));
    const settings = { ...DEFAULTS, layout: 'nhwc' as const };
    const attempt = onnxTeacher(from, settings).then((teacher) =>
      preflight(teacher, pictures(200), { alternatives: onnxAlternatives(from, settings, teacher) }),
    );
    await expect(attempt).rejects.toThrow(/with layout: nchw it is right on 100\.0 %/);
  });

  it('is not asked again in readings that are its own', async () => {
    const from = source(pictureTeacher({ layout: 'nchw' }), pictures(200));
    const teacher = await onnxTeacher(from, DEFAULTS);
    const others: string[] = [];
    for (const { what, open } of onnxAlternatives(from, DEFAULTS, teacher)) {
      const other = await open().catch(() => undefined);
      if (other !== undefined) others.push(what);
      await other?.dispose();
    }
    expect(others).toContain('normalize: {scale: 1}');
    expect(others.filter((what) => what.startsWith('layout'))).toEqual([]);
  });

  it('whose first output is another one is told the right one', async () => {
    const model = pictureModel();
    const [scores] = model.graph.outputs;
    const node = (op: string, from: string, to: string, axes?: readonly number[]) => ({
      ...{ op, domain: '', name: '', inputs: [from], outputs: [to] },
      attrs: new Map(axes && [['axes', { type: 'ints' as const, value: axes }]]),
    });
    const nodes = [...model.graph.nodes, node('Neg', 'scores', 'other'), node('ReduceMax', 'scores', 'most', [1])];
    const outputs = ['other', 'most'].map((name) => ({ name, dtype: 'float32' as const }));
    const graph = { ...model.graph, nodes, outputs: [...outputs, scores!] };
    const from = source(encodeModel({ ...model, graph }), pictures(200));
    const asked = async (settings: OnnxTeacherSettings) => {
      const teacher = await onnxTeacher(from, settings);
      return preflight(teacher, pictures(200), { alternatives: onnxAlternatives(from, settings, teacher) });
    };
    await expect(asked(DEFAULTS)).rejects.toThrow(/with output: scores it is right on 100\.0 %/);
    await expect(asked({ ...DEFAULTS, output: 'scores' })).resolves.toMatchObject({ accuracy: 1 });
    const several = asked({ ...DEFAULTS, intermediate: ['other'] });
    await expect(several).rejects.toMatchObject({ hint: expect.stringContaining('(it also has: scores)') as string });
  });

  it.each(['Neg', 'Tanh'])('with one output for two classes from %s is told how to have two', async (op) => {
    const two = { ...pictures(), classNames: ['ant', 'bee'] };
    const bytes = encodeModel(endingIn(pictureModel({ order: [0] }), op));
    const attempt = onnxTeacher(source(bytes, two), { ...DEFAULTS, outputs: 'logits' });
    const checked = attempt.then((teacher) => preflight(teacher, two));
    await expect(checked).rejects.toMatchObject({ hint: expect.stringContaining('torch.zeros_like(z)') as string });
  });

  it('with one logit or one sigmoid for two classes answers with two logits', async () => {
    const two = { ...pictures(), classNames: ['ant', 'bee'] };
    const x = viewOf(two, [0, 1, 2], { seed: 0, view: 0, augment: [] });
    const one = pictureModel({ order: [0] });
    const asked = async (model: Model, dataset: Dataset): Promise<number[]> => {
      const teacher = await onnxTeacher(source(encodeModel(model), dataset), DEFAULTS);
      const { logits } = await teacher.answer(x, 3);
      await teacher.dispose();
      return [...logits];
    };
    const ofThree = await asked(one, pictures());
    expect(new Set(ofThree).size).toBe(3);
    const expected = ofThree.flatMap((z): unknown[] => [0, expect.closeTo(z, 4)]);
    expect(await asked(endingIn(one, 'Sigmoid'), two)).toEqual(expected);
    expect(await asked(endingIn(endingIn(one, 'Sigmoid'), 'Squeeze', [null]), two)).toEqual(expected);
    const dense = denseModel();
    expect(await asked(dense, two)).toEqual((await asked(dense, pictures())).flatMap((z) => [0, z]));
  });

  it('that is worse than the recipe asks for stops the run', async () => {
    await expect(check({ order: [0, 1, 1] }, {}, 0.9)).rejects.toThrow(/minAccuracy asks for 90\.0 %/);
  });
});

function softmaxed(logits: Float32Array): number[] {
  return Array.from({ length: logits.length / 3 }, (_, row) => {
    const exps = [0, 1, 2].map((c) => Math.exp(logits[row * 3 + c]!));
    return exps.map((value) => value / exps.reduce((sum, other) => sum + other));
  }).flat();
}

/** A file whose only layer is a dense one with a bias, of one output. */
function denseModel(): Model {
  const b = new GraphBuilder();
  const x = b.input('pixels', { dtype: 'float32', shape: ['batch', 4, 4, 2] });
  const w = b.constant({ dtype: 'float32', shape: [32, 1] }, numbers(32, 'weights'));
  const flat = b.op('Reshape', [x], { shape: ['batch', 32] });
  const product = b.op('BatchMatMul', [flat, w], { transposeA: false, transposeB: false });
  const bias = b.constant({ dtype: 'float32', shape: [1] }, Float32Array.of(0.5));
  b.output('score', b.op('Add', [product, bias]));
  return lowerToOnnx(b.build());
}

/** The same file with one operator more at its end. */
function endingIn(model: Model, op: string, dims?: readonly null[]): Model {
  const [output] = model.graph.outputs;
  const { name } = output!;
  const inside = (value: string): string => (value === name ? `before ${op}` : value);
  const nodes = model.graph.nodes.map((node) => ({ ...node, outputs: node.outputs.map(inside) }));
  const last = { op, domain: '', name: '', inputs: [inside(name)], outputs: [name], attrs: new Map() };
  const outputs = [dims === undefined ? output! : { ...output!, dims }];
  return { ...model, graph: { ...model.graph, nodes: [...nodes, last], outputs } };
}

/** The same file with float16 at both ends. */
function halved(model: Model): Model {
  const { inputs, nodes, outputs } = model.graph;
  const cast = (from: string, to: string, type: number) => {
    const attrs = new Map([['to', { type: 'int' as const, value: type }]]);
    return { op: 'Cast', domain: '', name: '', inputs: [from], outputs: [to], attrs };
  };
  const [input, output] = [inputs[0]!, outputs[0]!];
  const inside = nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((name) => (name === input.name ? 'full' : name)),
  }));
  const half = { dtype: 'float16' as const };
  const graph = {
    ...model.graph,
    nodes: [cast(input.name, 'full', 1), ...inside, cast(output.name, 'half', 10)],
    inputs: [{ ...input, ...half }],
    outputs: [{ ...output, ...half, name: 'half' }],
  };
  return { ...model, graph };
}
