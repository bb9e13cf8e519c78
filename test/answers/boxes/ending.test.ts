import { RandomStream } from '../../../src/base/random.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { exportTflite } from '../../../src/formats/tflite/export.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { ending } from '../../../src/answers/boxes/ending.ts';
import { openFileRunner } from '../../../src/ship/parity/runners.ts';
import { NEVER, SUPPRESSION } from '../../../src/answers/boxes/suppression.ts';
import type { Task } from '../../../src/tasks/task.ts';

const [POINTS, CLASSES] = [84, 3];
const fields = [{ name: 'boxes', shape: [POINTS, 4] }, { name: 'scores', shape: [POINTS, CLASSES] }]; // prettier-ignore
const [task, single] = [SUPPRESSION.iou, NEVER].map((overlap) => ({ fields, boxes: { overlap } }) as unknown as Task) as [Task, Task]; // prettier-ignore

/** A graph that answers with the numbers of its input. */
function answering(): Graph {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', POINTS, 4 + CLASSES] });
  b.output('boxes', b.op('Slice', [x], { begin: [0, 0, 0], size: [-1, POINTS, 4] }));
  b.output('scores', b.op('Slice', [x], { begin: [0, 0, 4], size: [-1, POINTS, CLASSES] }));
  return b.build();
}

const random = new RandomStream('detection files');
const x = Float32Array.from({ length: POINTS * (4 + CLASSES) }, (_, i) => {
  const [place, value] = [i % (4 + CLASSES), random.uniform()];
  return place < 2 ? 0.4 * value : place < 4 ? 0.5 + 0.4 * value : 8 * value - 6;
});

it.each([
  ['onnx', 'with suppression', task],
  ['tflite', 'with suppression', task],
  ['onnx', 'of a detector that answers once', single],
  ['tflite', 'of a detector that answers once', single],
] as const)('a file of %s gives the detections that the plain answers come to, %s', async (format, _, task) => {
  const write = (graph: Graph): Uint8Array =>
    format === 'onnx' ? encodeModel(lowerToOnnx(graph)) : exportTflite(graph).bytes;
  const file = { file: `m.${format}`, format };
  const other = ending.finished!(write(ending.graphOf(answering(), task, format)), file, task);
  const runners = [
    await openFileRunner({ ...file, bytes: write(answering()) }, {}),
    await openFileRunner({ ...file, bytes: other }, {}),
  ] as const;
  const fed = { x: { data: x, shape: [1, POINTS, 4 + CLASSES] } };
  const [given, detections] = [await runners[0].run(fed), await runners[1].run(fed)];
  for (const runner of runners) runner.dispose();
  expect(Object.keys(detections)).toEqual(format === 'onnx' ? ['boxes', 'scores', 'labels'] : ['location', 'score']);
  const { alike, expected, actual } = ending.compared(given, detections, 1, task);
  expect([alike.length > 20, alike.every(Boolean)]).toEqual([true, true]);
  expect(actual.data).toEqual(expected.data);
  // A box that the file lacks counts against it.
  const scores = format === 'onnx' ? 'scores' : 'score';
  const wrong = { ...detections, [scores]: { ...detections[scores]!, data: detections[scores]!.data.map((value) => value / 2) } }; // prettier-ignore
  expect(ending.compared(given, wrong, 1, task).alike).toContain(false);
});
