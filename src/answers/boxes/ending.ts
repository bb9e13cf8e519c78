import { onnxContent, decodeModel } from '../../formats/onnx/protobuf.ts';
import { withSuppression } from '../../formats/onnx/rewrite/detection-ends.ts';
import { DETECTOR_OUTPUTS } from '../../formats/tflite/metadata/mediapipe.ts';
import { graphOf } from '../../graph/builder.ts';
import type { Constant, Node } from '../../graph/types.ts';
import { joinedValues } from '../../tasks/fields.ts';
import { detectionRow, detectionsOf } from './detections.ts';
import type { Detection } from '../../tasks/task.ts';
import { suppressed, SUPPRESSION } from './suppression.ts';
import { ANSWERS_LAYER } from '../../ship/answer-ending.ts';
import type { Ending, Results } from '../../ship/answer-ending.ts';
import type { OutputValues } from '../../convert/likeness.ts';

const named = (name: string): string => `${ANSWERS_LAYER}/${name}`;
const node = (name: string, op: string, inputs: readonly string[], attrs: Node['attrs'] = {}): Node => ({
  op,
  inputs,
  attrs,
  layer: ANSWERS_LAYER,
  outputs: [named(name)],
});

const CONSTANTS: readonly (readonly [string, Constant])[] = [
  [named('order'), { type: { dtype: 'int32', shape: [4] }, data: Int32Array.of(1, 0, 3, 2) }],
  [named('half'), { type: { dtype: 'float32', shape: [] }, data: Float32Array.of(0.5) }],
];

/** Boxes [batch, points, 4] (centre y, centre x, height, width) as `location` from those with xmin, ymin, xmax, ymax. */
function locationNodes(boxes: string, points: number): Node[] {
  return [
    node('sides', 'GatherV2', [boxes, named('order')], { axis: 2, batchDims: 0 }),
    node('least', 'Slice', [named('sides')], { begin: [0, 0, 0], size: [-1, points, 2] }),
    node('most', 'Slice', [named('sides')], { begin: [0, 0, 2], size: [-1, points, 2] }),
    node('sum', 'Add', [named('least'), named('most')]),
    node('centre', 'Multiply', [named('sum'), named('half')]),
    node('size', 'Sub', [named('most'), named('least')]),
    node('location', 'Concat', [named('centre'), named('size')], { axis: 2 }),
  ];
}

/**
 * Detections: ONNX files of one picture have non-maximum suppression inside; TFLite files answer with boxes and probabilities of all points as MediaPipe's
 * ObjectDetector reads them, which chooses among them itself.
 */
export const ending: Ending = {
  graphOf: (graph, _, format) => {
    const [boxes, scores] = ['boxes', 'scores'].map((name) => graph.outputs.get(name)!) as [string, string];
    const probabilities = node('probabilities', 'Sigmoid', [scores]);
    const added = format === 'tflite' ? locationNodes(boxes, graph.types.get(boxes)!.shape[1] as number) : [];
    const outputs =
      format === 'tflite'
        ? { [DETECTOR_OUTPUTS.boxes]: named('location'), [DETECTOR_OUTPUTS.scores]: named('probabilities') }
        : { boxes, scores: named('probabilities') };
    return graphOf({
      ...graph,
      constants: new Map([...graph.constants, ...(format === 'tflite' ? CONSTANTS : [])]),
      nodes: [...graph.nodes, probabilities, ...added],
      outputs: new Map(Object.entries(outputs)),
    });
  },
  finished: (bytes, { file, format }, { boxes }) =>
    format === 'onnx'
      ? onnxContent(withSuppression(decodeModel(bytes, file), { ...SUPPRESSION, iou: boxes!.overlap }))
      : bytes,
  atOnce: (format) => (format === 'onnx' ? 1 : Infinity),
  compared: (given, other, n, { fields, boxes }) => {
    const [points] = fields[0]!.shape as readonly [number, number];
    const values = fields.map(({ name }) => [name, given[name]!.data as Float32Array] as const);
    const answers = joinedValues(Object.fromEntries(values), fields, n);
    const width = answers.length / n;
    const alike = Array.from({ length: n }, (_, row) =>
      alikeIn(
        detectionsOf(detectionRow(answers.subarray(row * width, (row + 1) * width), points, boxes!.overlap)),
        detectionsIn(other, row, n, boxes!.overlap),
      ),
    ).flat();
    const asOutput = (data: readonly number[]): OutputValues => ({
      data: Float64Array.from(data),
      shape: [1, data.length],
      isInteger: true,
    });
    return { expected: asOutput(alike.map(() => 1)), actual: asOutput(alike.map(Number)), alike };
  },
};

/** Detections of a picture that a file with detections gives. */
function detectionsIn(results: Results, row: number, n: number, iou: number): Detection[] {
  const part = (name: string): OutputValues['data'] => {
    const { data } = results[name]!;
    return data.subarray((row * data.length) / n, ((row + 1) * data.length) / n);
  };
  if (DETECTOR_OUTPUTS.boxes in results) {
    const location = part(DETECTOR_OUTPUTS.boxes);
    const boxes = location.map((_, i) => {
      const [y, x, height, width] = location.subarray(i - (i % 4), i - (i % 4) + 4) as unknown as Quad;
      return [x - width / 2, y - height / 2, x + width / 2, y + height / 2][i % 4]!;
    });
    return detectionsOf(suppressed(boxes, part(DETECTOR_OUTPUTS.scores), { iou }));
  }
  const [boxes, scores, labels] = [part('boxes'), part('scores'), part('labels')];
  return Array.from(scores, (score, i) => {
    const [xmin, ymin, xmax, ymax] = boxes.subarray(4 * i, 4 * i + 4) as unknown as Quad;
    return { label: labels[i]!, score, xmin, ymin, xmax, ymax };
  });
}

type Quad = readonly [number, number, number, number];

/** Largest difference of the scores, and of the sides as shares of the picture's, of detections that are alike. */
const TOLERANCE = 0.01;

/** True for each detection that both lists have, false for each that one list lacks. */
function alikeIn(found: readonly Detection[], others: readonly Detection[]): boolean[] {
  const free = new Set(others);
  const known = found.map((one) => {
    const match = [...free].find(
      (other) =>
        one.label === other.label &&
        (['score', 'xmin', 'ymin', 'xmax', 'ymax'] as const).every(
          (key) => Math.abs(one[key] - other[key]) <= TOLERANCE,
        ),
    );
    return match !== undefined && free.delete(match);
  });
  return [...known, ...Array.from(free, () => false)];
}
