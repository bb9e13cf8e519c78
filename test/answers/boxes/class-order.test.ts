import type { Dataset } from '../../../src/data/dataset.ts';
import { boxesWidth, writeBoxes } from '../../../src/data/targets/boxes.ts';
import { joinedInOrder } from '../../../src/distill/preflight/class-order.ts';
import { preflight } from '../../../src/distill/preflight/preflight.ts';
import { NO_DETECTION, ROW } from '../../../src/answers/boxes/suppression.ts';
import '../../support/tasks.ts';

const CLASSES = ['cat', 'dog', 'owl'];
const COUNT = 90;
const boxOf = (i: number) => ({ xmin: 0.09 * (i % 10), ymin: 0.25, xmax: 0.09 * (i % 10) + 0.15, ymax: 0.75 });

/** Pictures of one object each, of the classes in turn. */
function pictures(): Dataset {
  const width = boxesWidth(1);
  const targets = new Float32Array(COUNT * width);
  for (let i = 0; i < COUNT; i++)
    writeBoxes(targets.subarray(i * width, (i + 1) * width), 1024, [{ label: i % 3, ...boxOf(i), area: 256, isIgnored: false }]); // prettier-ignore
  const ids = Int32Array.from({ length: COUNT }, (_, i) => i);
  const normalization = { scale: 1 / 255, mean: [0], std: [1] };
  return { name: 'validation', idPrefix: 'v', task: 'detection', classNames: CLASSES, sampleShape: [32, 32, 1], count: COUNT, maxBoxes: 1, samples: new Uint8Array(COUNT * 1024), ids, targets, normalization }; // prettier-ignore
}

/** Checks a detector that finds each object and names it by `named`. */
function check(named: (label: number, i: number) => number, options: object = {}) {
  const answers = new Float32Array(COUNT * ROW).fill(NO_DETECTION);
  for (let i = 0; i < COUNT; i++) answers.set([named(i % 3, i), 0.9, ...Object.values(boxOf(i))], i * ROW);
  const teacher = { name: 'd.onnx', classes: ROW, answersTo: () => Promise.resolve(answers) };
  return preflight(teacher, pictures(), { rows: Int32Array.from({ length: COUNT }, (_, i) => i), ...options });
}

it('a detector whose classes are in another order is refused, with the order', async () => {
  const swapped = (label: number) => [1, 0, 2][label]!;
  await expect(check(swapped)).rejects.toMatchObject({
    message: 'd.onnx: at a mAP of 33.33 % on 90 validation samples; of the 90 labelled boxes that it finds it names 33.3 % rightly, and with its classes in another order it is right on 100.0 %: what it calls cat is dog, what it calls dog is cat',
    hint: 'Set `teacher` to use classes: [dog, cat, owl]. If its settings are right, confirm them with `teacher.confirmed: true`.',
    changes: [{ path: ['classes'], value: ['dog', 'cat', 'owl'] }],
  });
  // Further classes of the file stay where they are.
  await expect(check(swapped, { declared: ['cat', 'car', 'dog', 'owl'] })).rejects.toMatchObject({
    changes: [{ path: ['classes'], value: ['dog', 'car', 'cat', 'owl'] }],
  });
  expect((await check(swapped, { confirmed: true })).warnings).toEqual([expect.stringContaining('what it calls cat is dog')]);
}); // prettier-ignore

it('one that names objects rightly, or by no order, is not', async () => {
  expect((await check((label) => label)).warnings).toEqual([]);
  expect((await check((label, i) => (i % 2 === 0 ? label : Math.floor(i / 30)))).warnings).toEqual([]);
});

it('classes of a detector in another order move its scores, and leave its boxes', () => {
  const fields = [{ name: 'boxes', shape: [2, 4] }, { name: 'scores', shape: [2, 3] }]; // prettier-ignore
  const boxes = Float32Array.from({ length: 8 }, (_, i) => i / 10);
  const joined = joinedInOrder({ boxes, scores: Float32Array.of(1, 2, 3, 4, 5, 6) }, fields, 1, [2, 0, 1]);
  expect([...joined]).toEqual([...boxes, 3, 1, 2, 6, 4, 5]);
});
