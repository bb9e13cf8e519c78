import { PLAIN, viewOf } from '../../../src/data/batches/batches.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { boxesWidth } from '../../../src/data/targets/boxes.ts';
import type { FileTeacherSettings } from '../../../src/distill/teachers/file-teacher.ts';
import { onnxTeacher } from '../../../src/distill/teachers/onnx-teacher.ts';
import { detectionsOf } from '../../../src/answers/boxes/detections.ts';
import { ROW } from '../../../src/answers/boxes/suppression.ts';
import { brightnessDetector, pixelDetector } from '../../support/detectors.ts';
import '../../support/tasks.ts';

const SIDE = 32;
const PIXELS = SIDE * SIDE;

/** Pictures of `channels`: picture i is `i · 51` bright throughout; or has the bright pixels `lit[i]`, [row, column]. */
function pictures(channels: 1 | 3, lit?: readonly (readonly [number, number])[][], names = ['cat', 'dog']): Dataset {
  const count = lit?.length ?? 5;
  const samples = new Uint8Array(count * PIXELS * channels);
  for (let i = 0; i < count; i++) {
    const own = samples.subarray(i * PIXELS * channels, (i + 1) * PIXELS * channels);
    if (lit === undefined) own.fill(i * 51);
    for (const [row, column] of lit?.[i] ?? []) own[row * SIDE + column] = 255;
  }
  return {
    ...{ name: 'train', idPrefix: 'train', sampleShape: [SIDE, SIDE, channels], classNames: names, count, samples },
    ids: Int32Array.from({ length: count }, (_, i) => i),
    targets: new Float32Array(count * boxesWidth(2)),
    task: 'detection',
    maxBoxes: 2,
    normalization: { scale: 1 / 255, mean: [0, 0, 0].slice(0, channels), std: [1, 1, 1].slice(0, channels) },
  };
}

async function found(bytes: Uint8Array, dataset: Dataset, settings: Partial<FileTeacherSettings>) {
  const rows = Int32Array.from({ length: dataset.count }, (_, i) => i);
  const x = viewOf(dataset, rows, PLAIN);
  const probe = { x, n: dataset.count };
  const source = { name: 'teacher.onnx', bytes, dataset, probe, session: { executionProviders: ['cpu'] } };
  const teacher = await onnxTeacher(source, { layout: 'auto', outputs: 'auto', intermediate: [], ...settings });
  const { logits } = await teacher.answer(x, dataset.count).finally(() => teacher.dispose());
  expect(logits.length).toBe(dataset.count * ROW);
  return Array.from({ length: dataset.count }, (_, i) => detectionsOf(logits.subarray(i * ROW, (i + 1) * ROW)));
}

const near = (value: number) => expect.closeTo(value, 5) as number;
const box = (label: number, score: number, [xmin, ymin, xmax, ymax]: readonly [number, number, number, number]) => ({
  ...{ label, score: near(score), xmin: near(xmin), ymin: near(ymin), xmax: near(xmax), ymax: near(ymax) },
});

describe('a detector', () => {
  // Two points of one object, and one of another class there; columns are points.
  const columns = [
    [16, 8, 8, 4, 0.8, 0.1],
    [16, 8, 8, 4.4, 0.7, 0],
    [16, 8, 8, 4, 0, 0.6],
    [30, 30, 8, 8, 0, 0.5],
  ];
  const transposed = columns[0]!.flatMap((_, row) => columns.map((column) => column[row]!));
  const slope = transposed.map((_, i) => (i === 0 ? 8 : 0));
  const expected = (brightness: number) => [
    box(0, 0.8, [(12 + 8 * brightness) / 32, 6 / 32, (20 + 8 * brightness) / 32, 10 / 32]),
    box(1, 0.6, [12 / 32, 6 / 32, 20 / 32, 10 / 32]),
    box(1, 0.5, [26 / 32, 26 / 32, 1, 1]),
  ];

  it.each([
    ['[6, points]', { dims: [6, 4], base: transposed, slope }],
    ['[points, 6]', { dims: [4, 6], base: columns.flat(), slope: columns.flat().map((_, i) => (i === 0 ? 8 : 0)) }],
  ])('of the layout yolov8 with %s gives one box for an object of each class', async (_, output) => {
    const all = await found(brightnessDetector(SIDE, { output }), pictures(3), { decoder: { layout: 'yolov8' } });
    expect(all[0]).toEqual(expected(0));
    // In the brightest picture the first point's box has moved away from the others.
    const apart = all[4]!.map(({ label, score }) => [label, score]);
    expect(apart).toEqual([[0, 0.8], [0, 0.7], [1, 0.6], [1, 0.5], [1, 0.1]].map(([label, score]) => [label, near(score!)])); // prettier-ignore
    expect(all[4]![0]).toEqual(expected(0.8)[0]);
  });

  it('of the layout yolov8 may give corners, and of yolox the probability of an object beside those of classes', async () => {
    const corners = columns.map(([x, y, w, h, ...scores]) => [x! - w! / 2, y! - h! / 2, x! + w! / 2, y! + h! / 2, ...scores]); // prettier-ignore
    const objects = columns.map(([x, y, w, h, ...scores]) => [x, y, w, h, 0.5, ...scores] as number[]);
    const ask = async (rows: readonly number[][], decoder: FileTeacherSettings['decoder']) => {
      const bytes = brightnessDetector(SIDE, { output: { dims: [4, rows[0]!.length], base: rows.flat() } });
      return (await found(bytes, pictures(3), { decoder }))[0]!;
    };
    expect(await ask(corners, { layout: 'yolov8', boxes: 'corners' })).toEqual(expected(0));
    const halved = expected(0).map((one, i) => ({ ...one, score: near([0.4, 0.3, 0.25][i]!) }));
    expect(await ask(objects, { layout: 'yolox' })).toEqual(halved);
    await expect(ask(columns, { layout: 'yolox' })).rejects.toThrow('expected [7, points], the sides, an object and 2 classes');
  }); // prettier-ignore

  it('with other classes leaves out those that the data set lacks, whatever their order', async () => {
    const dims = [1, 6];
    const bytes = brightnessDetector(SIDE, { a: { dims, base: [4, 4, 12, 12, 0.75, 2] } }, { names: "{0: 'cow', 1: 'dog', 2: \"cat\"}" }); // prettier-ignore
    expect((await found(bytes, pictures(3), { decoder: { layout: 'yolo26' }, classes: ['cow', 'dog', 'cat'] }))[0]).toEqual([
      box(0, 0.75, [1 / 8, 1 / 8, 3 / 8, 3 / 8]),
    ]); // prettier-ignore
    const cows = { decoder: { layout: 'yolo26' as const }, classes: ['cat', 'dog', 'cow'] };
    expect((await found(bytes, pictures(3), cows))[0]).toEqual([]);
    const short = found(bytes, pictures(3), { decoder: { layout: 'yolo26' }, classes: ['cow', 'dog'] });
    await expect(short).rejects.toThrow(
      /expected every class of the data set once among those of the detector, 2 names, received none named cat/,
    );
    await expect(found(bytes, pictures(3), { decoder: { layout: 'yolo26' } })).rejects.toThrow(/expected labels from 0 to 1 for 2 classes, received 2 in a/); // prettier-ignore
  });

  it('of the layout detr has a class for no object, or a sigmoid for each class', async () => {
    const boxes = { dims: [2, 4], base: [0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.5, 0.5] };
    const softmax = { logits: { dims: [2, 3], base: [0, Math.log(6), Math.log(3), 1, 0, 30] }, pred_boxes: boxes };
    const decoder = { layout: 'detr' as const };
    const corners = [1 / 4, 3 / 8, 3 / 4, 5 / 8] as const;
    expect((await found(brightnessDetector(SIDE, softmax), pictures(3), { decoder }))[0]).toEqual([box(1, 0.6, corners)]); // prettier-ignore
    const sigmoid = { pred_boxes: boxes, logits: { dims: [2, 2], base: [0, Math.log(3), -9, -9] } };
    expect((await found(brightnessDetector(SIDE, sigmoid), pictures(3), { decoder }))[0]).toEqual([
      box(1, 0.75, corners),
      box(0, 0.5, corners),
    ]);
    const other = { pred_boxes: boxes, logits: { dims: [2, 5], base: Array<number>(10).fill(0) } };
    await expect(found(brightnessDetector(SIDE, other), pictures(3), { decoder })).rejects.toThrow(
      /teacher\.onnx: expected logits \[queries, 3\], or \[queries, 2\] .* received logits \[2, 5\], pred_boxes \[2, 4\]/,
    );
  });

  it('of the layout ssd is asked about one picture at a time, with any number of boxes', async () => {
    const lit = [[[3, 5], [10, 20]], [], [[31, 31]]] as [number, number][][]; // prettier-ignore
    const decoder = { layout: 'ssd', order: 'yxyx' } as const;
    const at = (row: number, column: number) => box(0, 0.9, [column / 32, row / 32, (column + 1) / 32, (row + 1) / 32]);
    for (const names of [
      ['boxes', 'labels', 'scores'],
      ['detection_boxes:0', 'detection_classes:0', 'detection_scores:0'],
      ['a', 'b', 'c'],
    ] as const)
      // prettier-ignore
      expect(await found(pixelDetector(SIDE, names), pictures(1, lit), { decoder })).toEqual([
        [at(3, 5), at(10, 20)],
        [],
        [at(31, 31)],
      ]);
    const outputs = { boxes: 'b', labels: 'c', scores: 'a' };
    expect((await found(pixelDetector(SIDE, ['b', 'c', 'a']), pictures(1, lit), { decoder, outputs }))[1]).toEqual([]);
    await expect(found(pixelDetector(SIDE, ['a', 'b', 'c'], 0), pictures(1, lit), { decoder })).rejects.toThrow(
      /expected labels from 1 to 2 for 2 classes, received 0 in b/,
    );
    await expect(found(pixelDetector(SIDE, ['a', 'b', 'c']), pictures(1, lit), { decoder: { ...decoder, unit: 'shares' } })).rejects.toThrow(
      /expected boxes in shares, received sides of at most 21\.00 in a picture/,
    ); // prettier-ignore
  });

  it.each([
    [
      'shares',
      [0.1, 0.2, 0.4, 0.6, 0.9, 0],
      /expected boxes in pixels, received sides of at most 0\.6000 in a picture/,
    ],
    ['scores above 1', [10, 20, 40, 60, 9, 0], /expected probabilities as scores of boxes, received 9\.000 in a/],
    ['numbers that are not finite', [10, NaN, 40, 60, 0.5, 0], /its output a is not finite/],
  ])('whose boxes have %s is refused', async (_, base, message) => {
    const bytes = brightnessDetector(SIDE, { a: { dims: [1, 6], base } });
    await expect(found(bytes, pictures(3), { decoder: { layout: 'yolo26' } })).rejects.toThrow(message);
  });

  it('of another layout is refused with the shapes of its outputs', async () => {
    const output = { dims: [7, 4], base: Array<number>(28).fill(0) };
    const one = brightnessDetector(SIDE, { output });
    await expect(found(one, pictures(3), { decoder: { layout: 'yolov8' } })).rejects.toThrow(
      /expected \[6, points\], the sides and 2 classes for each picture, received output \[7, 4\]/,
    );
    await expect(found(one, pictures(3), { decoder: { layout: 'yolo26' } })).rejects.toThrow(/expected \[n, 6\]/);
    const two = brightnessDetector(SIDE, { a: output, b: output });
    await expect(found(two, pictures(3), { decoder: { layout: 'yolov8' } })).rejects.toThrow(
      /expected one output for the boxes of the layout yolov8, received a \[batch, 7, 4\], b \[batch, 7, 4\]/,
    );
    await expect(found(one, pictures(3), { decoder: { layout: 'yolov8' }, output: 'c' })).rejects.toThrow(
      /teacher\.output: teacher\.onnx has no output c/,
    );
  });
});
