import { greyOf } from '../../../../src/data/pictures/fitted.ts';
import { lowerToOnnx } from '../../../../src/formats/onnx/lower.ts';
import type { Model } from '../../../../src/formats/onnx/model.ts';
import { forPixelValues, forTokens } from '../../../../src/formats/onnx/rewrite/pipeline-ends.ts';
import { encodeModel } from '../../../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../../../src/graph/builder.ts';
import { InferenceModel } from '../../../../src/runtime/inference.ts';

/** A model that answers with its input, doubled, one behind the other or as it is. */
function doubling(shape: readonly number[], names: readonly string[], { flat = true } = {}): Model {
  const b = new GraphBuilder();
  const size = shape.reduce((product, side) => product * side, 1);
  const two = b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(2));
  const inputs = names.map((name) => b.input(name, { dtype: 'float32', shape: ['batch', ...shape] }));
  const sum = inputs.reduce((all, one) => b.op('Add', [all, one], {}));
  const doubled = b.op('Multiply', [sum, two], {});
  b.output('logits', flat ? b.op('Reshape', [doubled], { shape: ['batch', size] }) : doubled);
  return lowerToOnnx(b.build());
}

const session = { threads: 1, executionProviders: ['cpu'] };
type Feeds = Parameters<InferenceModel['run']>[0];

async function answer(model: Model, feeds: Feeds) {
  const opened = new InferenceModel(encodeModel(model), 'pipeline.onnx', session);
  try {
    expect(opened.inputs.map(({ name }) => name)).toEqual(Object.keys(feeds));
    return (await opened.run(feeds, ['logits']))['logits']!;
  } finally {
    opened.dispose();
  }
}

describe('a picture classifier for a pipeline', () => {
  const [height, width] = [2, 3];
  /** [height, width, 3], two pictures. */
  const pixels = Uint8Array.from({ length: 2 * height * width * 3 }, (_, i) => (i * 89 + 17) % 256);
  const planes = Float32Array.from(pixels, (_, i) => {
    const [n, c, p] = [Math.floor(i / 18), Math.floor((i % 18) / 6), i % 6];
    return pixels[n * 18 + p * 3 + c]!;
  });
  const feeds = { pixel_values: { data: planes, shape: [2, 3, height, width] } };

  it('makes grey of colours to the bit, and normalizes inside', async () => {
    const normalization = { scale: 1 / 255, mean: [0.5], std: [0.25] };
    const model = forPixelValues(doubling([height, width, 1], ['x']), {
      sampleShape: [height, width, 1],
      normalization,
    });
    const { data } = await answer(model, feeds);
    const expected = Array.from(greyOf(pixels), (value) => (2 * (value / 255 - 0.5)) / 0.25);
    expected.forEach((value, i) => expect(Number(data[i])).toBeCloseTo(value, 5));
    expect(JSON.parse(model.metadata.get('preprocessing')!)).toMatchObject({
      scale: 1,
      layout: 'nchw',
      shape: [2, 3, 3],
    });
  });

  it.each(['x', 'pixel_values'])('feeds colours as its file takes them, whose input is %s', async (name) => {
    const normalization = { scale: 1, mean: [1, 2, 3], std: [2, 4, 8] };
    const prepared = (value: number, c: number): number =>
      (2 * (value - normalization.mean[c]!)) / normalization.std[c]!;
    const options = { sampleShape: [height, width, 3], normalization };
    const last = await answer(forPixelValues(doubling([height, width, 3], [name]), options), feeds);
    pixels.forEach((value, i) => expect(Number(last.data[i])).toBeCloseTo(prepared(value, i % 3), 4));
    const first = await answer(forPixelValues(doubling([3, height, width], [name]), { ...options }), feeds);
    planes.forEach((value, i) =>
      expect(Number(first.data[i])).toBeCloseTo(prepared(value, Math.floor((i % 18) / 6)), 4),
    );
  });
});

describe('a model of texts for a pipeline', () => {
  const tensor = (...rows: readonly (readonly number[])[]) => ({
    data: BigInt64Array.from(rows.flat(), BigInt),
    shape: [rows.length, rows[0]!.length],
  });
  const ends = { length: 4, padding: 9, isPerToken: false };

  it('pads with its own id what is shorter, and cuts what is longer', async () => {
    const model = forTokens(doubling([4], ['x']), ends);
    const short = { input_ids: tensor([5, 6, 0], [7, 0, 0]), attention_mask: tensor([1, 1, 0], [1, 0, 0]) };
    expect([...(await answer(model, short)).data]).toEqual([10, 12, 18, 18, 14, 18, 18, 18]);
    const long = { input_ids: tensor([1, 2, 3, 4, 5]), attention_mask: tensor([1, 1, 1, 1, 1]) };
    expect([...(await answer(model, long)).data]).toEqual([2, 4, 6, 8]);
  });

  it('computes mask and types of a model that takes them', async () => {
    const model = forTokens(doubling([4], ['input_ids', 'attention_mask', 'token_type_ids']), ends);
    const feeds = { input_ids: tensor([5, 6, 0]), attention_mask: tensor([1, 1, 0]) };
    expect([...(await answer(model, feeds)).data]).toEqual([12, 14, 18, 18]);
  });

  it('answers for the tokens that it is given', async () => {
    const model = forTokens(doubling([4], ['x'], { flat: false }), { ...ends, isPerToken: true });
    const { data, shape } = await answer(model, { input_ids: tensor([5, 6, 7]), attention_mask: tensor([1, 1, 1]) });
    expect([[...data], shape]).toEqual([
      [10, 12, 14],
      [1, 3],
    ]);
  });
});
