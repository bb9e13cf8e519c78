import { readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { readIdx } from '../../src/data/formats/idx/idx.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { decodeModel, encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { ROOT } from '../support/built.ts';
import { wavFile } from '../support/sound.ts';
import { sumAndDifference } from './models.ts';
import { ask, serving } from './server.ts';
import type { Served } from './server.ts';

const METADATA = {
  labels: '["dark","bright"]',
  preprocessing: JSON.stringify({ shape: [2, 2, 1], scale: 1 / 255, mean: [0.5], std: [0.5] }),
  output: 'logits',
};

/** [batch, 2, 2, 1], prepared: logits of -sum and +sum, so that a grey of 127.5 is neither. */
function brightness(metadata: object): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 2, 2, 1] });
  const flat = b.op('Reshape', [x], { shape: ['batch', 4] });
  const w = b.constant({ dtype: 'float32', shape: [4, 2] }, Float32Array.of(-1, 1, -1, 1, -1, 1, -1, 1));
  b.output('logits', b.op('BatchMatMul', [flat, w], { transposeA: false, transposeB: false }));
  return encodeModel(lowerToOnnx(b.build(), { metadata: new Map(Object.entries(metadata)) }));
}

/** [batch, 4, 1], 4 values at 8 a second: logits of -sum and +sum. */
function loudness(): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 4, 1] });
  const flat = b.op('Reshape', [x], { shape: ['batch', 4] });
  const w = b.constant({ dtype: 'float32', shape: [4, 2] }, Float32Array.of(-1, 1, -1, 1, -1, 1, -1, 1));
  b.output('logits', b.op('BatchMatMul', [flat, w], { transposeA: false, transposeB: false }));
  const preprocessing = JSON.stringify({ shape: [4, 1], scale: 1, mean: [0], std: [1] });
  const metadata = { ...METADATA, preprocessing, sound: '{"rate":8}' };
  return encodeModel(lowerToOnnx(b.build(), { metadata: new Map(Object.entries(metadata)) }));
}

/** [batch, 2, 1, 2], two channels of two pixels: logits of minus and plus the first channel less the second. */
function channelsFirst(): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 2, 1, 2] });
  const flat = b.op('Reshape', [x], { shape: ['batch', 4] });
  const w = b.constant({ dtype: 'float32', shape: [4, 2] }, Float32Array.of(-1, 1, -1, 1, 1, -1, 1, -1));
  b.output('logits', b.op('BatchMatMul', [flat, w], { transposeA: false, transposeB: false }));
  const stated = { shape: [1, 2, 2], scale: 1, mean: [0, 10], std: [1, 2], layout: 'nchw' };
  const metadata = { ...METADATA, preprocessing: JSON.stringify(stated) };
  return encodeModel(lowerToOnnx(b.build(), { metadata: new Map(Object.entries(metadata)) }));
}

/** The file with the number of the class as its first output, as scikit-learn's have it. */
function withLabel(bytes: Uint8Array): Uint8Array {
  const model = decodeModel(bytes, 'm.onnx');
  const attrs = new Map([['axis', { type: 'int' as const, value: 1 }]]);
  const top = { op: 'ArgMax', domain: '', name: '', inputs: ['logits'], outputs: ['label'], attrs };
  const outputs = [{ name: 'label', dtype: 'int64' as const, dims: ['batch', 1] }, ...model.graph.outputs];
  return encodeModel({ ...model, graph: { ...model.graph, nodes: [...model.graph.nodes, top], outputs } });
}

let server: Served;
beforeAll(async () => {
  server = await serving({
    'light.onnx': brightness(METADATA),
    'bare.onnx': brightness({}),
    'first.onnx': channelsFirst(),
    'odd.onnx': brightness({ preprocessing: 'as in the paper' }),
    'loud.onnx': loudness(),
    'two.onnx': sumAndDifference(),
    'labelled.onnx': withLabel(brightness(METADATA)),
    'several.onnx': brightness({ ...METADATA, labels: '[]', targets: '["dark","bright"]' }),
    'tags.onnx': brightness({ ...METADATA, labels: '[]', targets: '["B","O"]', task: 'tagging' }),
    'numbers.onnx': brightness({ ...METADATA, labels: '[]', targets: '["minus","plus"]', output: 'values' }),
    'cut.onnx': brightness({ ...METADATA, preprocessing: JSON.stringify({ shape: [2, 2, 1], scale: 1, mean: [0], std: [1], cutFrom: 4 }) }), // prettier-ignore
    'sixteen.onnx': brightness({ ...METADATA, preprocessing: JSON.stringify({ shape: [2, 2, 1], scale: 1, mean: [0], std: [16] }) }), // prettier-ignore
  });
});
afterAll(() => server.end());

const coloured = (r: number, g: number, b: number, size = 5): Promise<Buffer> =>
  sharp({ create: { width: size, height: size, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer();
const grey = (value: number, size?: number): Promise<Buffer> => coloured(value, value, value, size);

async function predictions(place: string, body: object | Uint8Array, type?: string) {
  const answer = await ask(server, place, { body, ...(type !== undefined && { headers: { 'content-type': type } }) });
  expect(answer.json.error).toBeUndefined();
  return answer.json.predictions as { label: string; index: number; probability: number; top?: object[] }[];
}

/** The probability of `bright` where all four pixels have this value. */
const bright = (value: number): number => 1 / (1 + Math.exp(-8 * ((value / 255 - 0.5) / 0.5)));

describe('POST /v1/M', () => {
  it('takes a WAV file of any length and rate, and refuses what is none', async () => {
    const [said] = await predictions(
      '/v1/loud',
      wavFile([0, 0.5, 0.25, 0, 0, 0], { rate: 8, tag: 3, bits: 32 }),
      'audio/wav',
    );
    expect(said!.label).toBe('bright');
    // The middle of it.
    expect(said!.probability).toBeCloseTo(1 / (1 + Math.exp(-2 * 0.75)), 5);
    const refused = async (place: string, body: Uint8Array): Promise<unknown> => {
      const { status, json } = await ask(server, place, { body, headers: { 'content-type': 'audio/x-wav' } });
      return [status, json.error];
    };
    expect(await refused('/v1/loud', Buffer.from('no'))).toEqual([
      400,
      'the sound: no WAV file: expected RIFF and WAVE at its start',
    ]);
    expect(await refused('/v1/loud', wavFile([0], { rate: 2_000_000_011 }))).toEqual([
      400,
      'the sound: a rate of 2000000011 values a second, expected one nearer to 8, that of the data',
    ]);
    expect(await refused('/v1/light', wavFile([0]))).toEqual([
      400,
      'this model takes no sounds: its file does not say at which rate',
    ]);
  });

  it('answers by the output of floats, also behind one of the number of the class', async () => {
    const body = {
      inputs: [
        [
          [[255], [255]],
          [[255], [0]],
        ],
      ],
    };
    const answers = await Promise.all(['light', 'labelled'].map((name) => ask(server, `/v1/${name}`, { body })));
    const [plain, behind] = answers.map(({ json }) => json.predictions);
    expect(behind).toEqual(plain);
    expect(plain).toEqual([{ index: 1, label: 'bright', probability: expect.closeTo(1 / (1 + Math.exp(-4)), 5) as number }]); // prettier-ignore
  });

  it('refuses a model that tags words and does not say how they become its input', async () => {
    const message =
      'model tags gives words tags, and its file does not say how words become its input, or answers with another shape than ' +
      '[batch, tokens, tags]: send token ids to /v2/models/tags/infer';
    for (const body of [{ inputs: 'New York' }, undefined]) {
      const { status, json } = await ask(server, '/v1/tags', body === undefined ? {} : { body });
      expect([status, json.error]).toEqual([400, message]);
    }
  });

  it('takes a picture of any size and says what it shows', async () => {
    const [white] = await predictions('/v1/light', await grey(140), 'image/png');
    expect(white).toMatchObject({ label: 'bright', index: 1 });
    expect(white!.probability).toBeCloseTo(bright(140), 5);
    const [red] = await predictions('/v1/light', await coloured(255, 100, 30), 'image/png');
    expect(red!.probability).toBeCloseTo(bright(138), 5);
    const jpeg = await sharp(await grey(10, 40))
      .jpeg()
      .toBuffer();
    const [black] = await predictions('/v1/light?top=2', jpeg, 'image/jpeg');
    expect(black).toMatchObject({ label: 'dark', top: [{ label: 'dark' }, { label: 'bright' }] });
  });

  it('takes raw values, one sample or several', async () => {
    const sample = (value: number) => [
      [[value], [value]],
      [[value], [value]],
    ];
    const [one] = await predictions('/v1/light', { inputs: sample(140) });
    expect(one!.probability).toBeCloseTo(bright(140), 5);
    const both = await predictions('/v1/light', [sample(0), sample(255)], 'application/json');
    expect(both.map(({ label }) => label)).toEqual(['dark', 'bright']);
    // A file that says nothing of itself is fed the values as they are.
    const answer = await ask(server, '/v1/bare', { body: [sample(3)] });
    expect(answer.json.predictions).toEqual([{ index: 1, score: 12 }]);
  });

  it('takes samples of several axes flat too, as example.json of a kit has them', async () => {
    const samples = [[0, 60, 60, 80], [255, 250, 240, 255]]; // prettier-ignore
    const nested = samples.map(([a, b, c, d]) => [[[a], [b]], [[c], [d]]]); // prettier-ignore
    const expected = await predictions('/v1/light', { inputs: nested });
    expect(await predictions('/v1/light', { inputs: samples })).toEqual(expected);
    expect(await predictions('/v1/light', { inputs: samples[1]! })).toEqual([expected[1]]);
    expect(await predictions('/v1/light', [samples[0]], 'application/json')).toEqual([expected[0]]);
    const { status, json } = await ask(server, '/v1/light', { body: { inputs: [samples[0], [1, 2]] } });
    expect([status, json.error]).toEqual([400, expect.stringMatching(/expected a sample of shape \[2, 2, 1\]/)]);
  });

  it('answers each of several labels with a probability of its own, and numbers as they are', async () => {
    const white = [[[255], [255]], [[255], [255]]]; // prettier-ignore
    const [labels] = (await predictions('/v1/several', { inputs: white })) as unknown as [{ values: object[] }];
    const each = (logit: number): number => 1 / (1 + Math.exp(-logit));
    expect(labels.values).toEqual([
      { index: 0, label: 'dark', probability: expect.closeTo(each(-4), 6) as number },
      { index: 1, label: 'bright', probability: expect.closeTo(each(4), 6) as number },
    ]);
    const [numbers] = (await predictions('/v1/numbers', { inputs: white })) as unknown as [{ values: object[] }];
    expect(numbers.values).toEqual([
      { index: 0, label: 'minus', score: -4 },
      { index: 1, label: 'plus', score: 4 },
    ]);
  });

  it('refuses a picture where the data had other values than pictures have', async () => {
    const answer = await ask(server, '/v1/sixteen', {
      body: await grey(200),
      headers: { 'content-type': 'image/png' },
    });
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatch(/would become up to 15\.9 after its preparation/);
  });

  it('refuses a model whose pictures are cut out of larger ones, which only a run does', async () => {
    const answer = await ask(server, '/v1/cut', { body: await grey(200), headers: { 'content-type': 'image/png' } });
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatch(/sees pictures cut out of larger ones .*: send prepared values to/);
  });

  it('prepares values for a model that wants its channels first', async () => {
    const [said] = await predictions('/v1/first', { inputs: [[[1, 12], [2, 16]]] }); // prettier-ignore
    // 1 + 2 - ((12 - 10) / 2 + (16 - 10) / 2)
    expect(said!.label).toBe('dark');
    expect(said!.probability).toBeCloseTo(1 / (1 + Math.exp(-2)), 5);
  });

  it('says which file has a preparation that cannot be read, and refuses one for other samples', async () => {
    expect(server.lines).toContain(
      'warn: odd: its metadata entry preprocessing is no JSON of shape, scale, mean and std: values are fed as they come',
    );
    const stated = { shape: [4, 4, 1], scale: 1, mean: [0.5], std: [0.5] };
    for (const [other, said] of [
      [stated, '[4, 4, 1] with 1 mean and 1 deviation'],
      [{ ...stated, shape: [2, 2, 1], mean: [1, 2] }, '[2, 2, 1] with 2 means and 1 deviation'],
    ] as const)
      await expect(serving({ 'm.onnx': brightness({ preprocessing: JSON.stringify(other) }) })).rejects.toMatchObject({
        message: expect.stringContaining(
          `m.onnx: its metadata entry preprocessing is for samples ${said}, but its input x is [batch, 2, 2, 1]`,
        ) as string,
        hint: 'Write an entry for that input, with a mean and a deviation for each channel, or take it out: values are then fed as they come.',
      });
  });

  it('says what it takes', async () => {
    expect((await ask(server, '/v1')).json).toEqual({
      models: [
        'bare',
        'cut',
        'first',
        'labelled',
        'light',
        'loud',
        'numbers',
        'odd',
        'several',
        'sixteen',
        'tags',
        'two',
      ],
    });
    expect((await ask(server, '/v1/light')).json).toMatchObject({
      shape: [2, 2, 1],
      labels: ['dark', 'bright'],
      logits: true,
    });
  });

  it.each([
    ['no picture', 'light', 'image/png', 'abc', /cannot be decoded/],
    ['a picture for a file that says nothing', 'bare', 'image/png', 'abc', /does not say how to prepare/],
    ['no JSON', 'light', 'application/json', '{', /no JSON/],
    ['another depth', 'light', 'application/json', '[1, 2, 3]', /depth 1/],
    ['another shape', 'light', 'application/json', '[[[1],[2]]]', /shape \[1, 2, 2, 1\]/],
    ['nothing', 'light', 'application/json', '{}', /received none/],
    [
      'a key that is not read',
      'light',
      'application/json',
      '{"inputs": [], "tops": 2}',
      /unknown key "tops" in the body; expected/,
    ],
    ['a key of another server', 'light', 'application/json', '{"instances": [[[[1],[2]]]]}', /unknown key "instances"/],
    ['top in the body', 'light', 'application/json', '{"inputs": [], "top": 2}', /unknown key "top".*\?top=3/],
    [
      'an unknown key of the address',
      'light?top=1&tip=2',
      'application/json',
      '[]',
      /unknown key "tip" behind the \?.* top, score, encoding_format are read/,
    ],
    ['a key of the address twice', 'light?top=1&top=2', 'application/json', '[]', /top is given twice/],
    ['a score of boxes', 'light?score=0.5', 'application/json', '[]', /score: model light does not answer with boxes/],
    ['no score', 'light?score=2', 'application/json', '[]', /score: expected a number from 0 to 1, received "2"/],
    ['another number', 'light?top=0x2', 'application/json', '[]', /top: expected a whole number > 0, received "0x2"/],
    [
      'classes of a model that chooses none',
      'numbers?top=2',
      'application/json',
      '[]',
      /top: model numbers does not choose a class/,
    ],
    [
      'an answer without a form in JSON',
      'bare',
      'application/json',
      '[[[3e38],[3e38]],[[3e38],[3e38]]]',
      /the model answers Infinity/,
    ],
    [
      'probabilities that are none',
      'first',
      'application/json',
      '[[[3e38,-3e38],[3e38,-3e38]]]',
      /the model answers NaN/,
    ],
    ['two inputs', 'two', 'application/json', '[]', /does not have exactly one float32 input/],
    ['a model that is not there', 'none', 'application/json', '[]', /no model none/],
  ])('refuses %s', async (_name, model, type, body, message) => {
    const answer = await ask(server, `/v1/${model}`, { body, headers: { 'content-type': type } });
    expect(answer.status).toBe(model === 'none' ? 404 : 400);
    expect(answer.json.error).toMatch(message);
  });
});

describe('content types', () => {
  it.each([
    ['a form', 'multipart/form-data; boundary=x', /received "multipart.*: send the file itself as the body/],
    ['another kind', 'application/xml', /expected application\/json, text\/plain.*, received "application\/xml"/],
  ])('refuses %s by its name', async (_name, type, message) => {
    const { status, json } = await ask(server, '/v1/light', { body: await grey(9), headers: { 'content-type': type } });
    expect(status).toBe(415);
    expect(json.error).toMatch(message);
  });
});

describe('real pictures', () => {
  it('are recognized by an exported file, as PNG and as values', async () => {
    const DATA = path.join(ROOT, 'datasets/fashion-mnist/t10k');
    const { samples, labels } = await readIdx({
      images: `${DATA}-images-idx3-ubyte.gz`,
      labels: `${DATA}-labels-idx1-ubyte.gz`,
    });
    const count = 60;
    const file = await readFile(path.join(ROOT, 'checkpoints/fashion-mnist-teacher/exports/distilled.onnx'));
    const own = await serving({ 'fashion.onnx': file });
    try {
      const pictures = Array.from({ length: count }, (_, i) => samples.slice(784 * i, 784 * (i + 1)));
      const raw = { width: 28, height: 28, channels: 1 } as const;
      const answers = await Promise.all(
        pictures.map(async (pixels) => {
          const body = await sharp(pixels, { raw }).png().toBuffer();
          return ask(own, '/v1/fashion', { body, headers: { 'content-type': 'image/png' } });
        }),
      );
      const asPng = answers.map(({ json }) => (json.predictions as { index: number; probability: number }[])[0]!);
      const rows = pictures.map((pixels) =>
        Array.from({ length: 28 }, (_, y) => Array.from({ length: 28 }, (_, x) => [pixels[28 * y + x]])),
      );
      const { json } = await ask(own, '/v1/fashion', { body: { inputs: rows } });
      const asValues = json.predictions as { index: number; probability: number }[];
      asValues.forEach(({ index, probability }, i) => {
        expect(asPng[i]!.index).toBe(index);
        expect(asPng[i]!.probability).toBeCloseTo(probability, 5);
      });
      const truth = (labels as { values: ArrayLike<number> }).values;
      const right = asPng.filter(({ index }, i) => index === Number(truth[i])).length;
      // The report of this file says 94 %.
      expect(right / count).toBeGreaterThan(0.85);
    } finally {
      await own.end();
    }
  });
});
