import { RandomStream } from '../../../../src/base/random.ts';
import { lowerToOnnx } from '../../../../src/formats/onnx/lower.ts';
import { decodeModel, encodeModel } from '../../../../src/formats/onnx/protobuf.ts';
import { withSuppression } from '../../../../src/formats/onnx/rewrite/detection-ends.ts';
import { GraphBuilder } from '../../../../src/graph/builder.ts';
import { InferenceModel } from '../../../../src/runtime/inference.ts';
import { DETECTION_WIDTH, NEVER, suppressed, SUPPRESSION } from '../../../../src/answers/boxes/suppression.ts';

const ANSWERS = 300;

/** A file that answers with its inputs, after suppression. */
function fileOf(points: number, classes: number, iou: number): Uint8Array {
  const b = new GraphBuilder();
  const one = b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(1));
  const sides = { boxes: 4, scores: classes };
  for (const [name, each] of Object.entries(sides))
    b.output(
      name,
      b.op('Multiply', [b.input(`given-${name}`, { dtype: 'float32', shape: ['batch', points, each] }), one]),
    );
  return encodeModel(withSuppression(lowerToOnnx(b.build()), { ...SUPPRESSION, iou }));
}

/** Boxes around few places, so that many overlap; scores of few values, so that many are equal, or of all. */
function answer(random: RandomStream, points: number, classes: number) {
  const isCoarse = random.uniform() < 0.5;
  const scale = random.uniform() < 0.1 ? 0.01 : 1;
  const places = Array.from({ length: 1 + random.below(12) }, () => [
    random.uniform(),
    random.uniform(),
    random.uniform(),
  ]);
  const boxes = new Float32Array(points * 4);
  for (let i = 0; i < points; i++) {
    const [x, y, size] = places[random.below(places.length)] as [number, number, number];
    const near = (value: number): number => value + 0.2 * size * (random.uniform() - 0.5);
    const half = random.uniform() < 0.05 ? 0 : size / 2;
    boxes.set([near(x) - half, near(y) - half, near(x) + half, near(y) + half], 4 * i);
    // The corners of a box are in order.
    if (boxes[4 * i]! > boxes[4 * i + 2]!) boxes[4 * i] = boxes[4 * i + 2]!;
    if (boxes[4 * i + 1]! > boxes[4 * i + 3]!) boxes[4 * i + 1] = boxes[4 * i + 3]!;
  }
  const scores = Float32Array.from({ length: points * classes }, () =>
    isCoarse ? random.below(8) / 7 : scale * random.uniform() ** 3,
  );
  return { boxes, scores };
}

it.each([
  [84, 3, SUPPRESSION.iou],
  [525, 1, SUPPRESSION.iou],
  [300, 20, SUPPRESSION.iou],
  [84, 3, NEVER],
  [21, 1, NEVER],
])('chooses among boxes of %i points and %i classes with overlaps up to %d as we do', async (points, classes, iou) => {
  const bytes = fileOf(points, classes, iou);
  if (iou === NEVER)
    expect(decodeModel(bytes, 'detections.onnx').graph.nodes.map(({ op }) => op)).not.toContain('NonMaxSuppression');
  const model = new InferenceModel(bytes, 'detections.onnx', { intraOpNumThreads: 1 });
  const random = new RandomStream('suppression in a file', points);
  let counted = 0;
  for (let i = 0; i < ANSWERS; i++) {
    const { boxes, scores } = answer(random, points, classes);
    const given = { data: boxes, shape: [1, points, 4] };
    const result = await model.run({
      'given-boxes': given,
      'given-scores': { data: scores, shape: [1, points, classes] },
    });
    const row = suppressed(boxes, scores, { iou });
    const n = Array.from({ length: row.length / DETECTION_WIDTH }, (_, k) => row[k * DETECTION_WIDTH]!).filter((label) => label >= 0).length; // prettier-ignore
    const column = (from: number, size: number): number[] =>
      Array.from({ length: n }, (_, k) => [...row.subarray(k * DETECTION_WIDTH + from, k * DETECTION_WIDTH + from + size)]).flat(); // prettier-ignore
    expect(result['labels']!.data).toBeInstanceOf(Int32Array);
    expect(Array.from(result['labels']!.data, Number)).toEqual(column(0, 1));
    expect([...(result['scores']!.data as Float32Array)]).toEqual(column(1, 1));
    expect([...(result['boxes']!.data as Float32Array)]).toEqual(column(2, 4));
    expect(result['boxes']!.shape).toEqual([n, 4]);
    counted += n;
  }
  model.dispose();
  expect(counted).toBeGreaterThan(ANSWERS);
});

it('says what its outputs are, and takes one picture', () => {
  const { graph, metadata } = decodeModel(fileOf(84, 3, SUPPRESSION.iou), 'detections.onnx');
  expect(graph.outputs).toEqual([
    { name: 'boxes', dtype: 'float32', dims: ['n', 4] },
    { name: 'scores', dtype: 'float32', dims: ['n'] },
    { name: 'labels', dtype: 'int32', dims: ['n'] },
  ]);
  expect(graph.inputs.map(({ dims }) => dims)).toEqual([
    [1, 84, 4],
    [1, 84, 3],
  ]);
  expect(metadata.get('fields')).toBe(
    '[{"name":"boxes","shape":[4]},{"name":"scores","shape":[]},{"name":"labels","shape":[]}]',
  );
});
