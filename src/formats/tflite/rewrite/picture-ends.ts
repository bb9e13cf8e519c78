import { LUMA } from '../../onnx/rewrite/pipeline-ends.ts';
import type { PictureEnds as Prepared } from '../../onnx/rewrite/pipeline-ends.ts';
import type { Fields } from '../schema/notation.ts';
import { writeFlatbuffer } from '../flatbuffer/write.ts';
import { appendFiles } from '../metadata/archive.ts';
import { ENTRIES_NAME } from '../metadata/entries.ts';
import { DETECTOR_OUTPUTS, detectorMetadata } from '../metadata/mediapipe.ts';
import type { CustomMetadata } from '../metadata/mediapipe.ts';
import { decodeMetadata, inputMetadata, METADATA_NAME, outputMetadata } from '../metadata/metadata.ts';
import { readTflite } from '../read.ts';
import { metadataSchema } from '../schema/metadata.ts';
import type { Operator } from '../types.ts';
import { writeTflite } from '../write.ts';
import { ModelEditor } from './editor.ts';
import type { AnswerEnd } from './editor.ts';

type PictureEnds = Prepared & AnswerEnd;

interface PictureDescription {
  readonly description: string;
  readonly hasLabels: boolean;
  /** Files that are packed behind the model, by name. */
  readonly files: Readonly<Record<string, string>>;
}

const INPUT = 'image';

/**
 * A `.tflite` file of a model of pictures as MediaPipe's tasks open it, which take three channels and one mean for all of them: input [1, height, width, 3],
 * 0 … 255 in RGB; grey, normalization and the last function inside, labels in its metadata. The answers are those of the file.
 */
export function withPictureEnds(
  bytes: Uint8Array,
  { sampleShape, normalization, boxes, ...end }: PictureEnds,
  description: PictureDescription,
): Uint8Array {
  const model = readTflite(bytes);
  const { tensors, inputs, outputs } = model.subgraphs[0]!;
  const editor = new ModelEditor(model);
  const [before, after]: [Operator[], Operator[]] = [[], []];
  const [height, width, channels] = sampleShape as [number, number, number];
  const [own] = inputs as readonly [number];
  // The name of its signature, which a file of ours may have for its own input.
  if (tensors[own]!.name === INPUT) editor.rename(own, `${INPUT}/own`);
  const image = editor.tensor(INPUT, 'float32', [1, height, width, 3]);
  const made = (name: string): number => editor.tensor(`${INPUT}/${name}`, 'float32', [1, height, width, channels]);
  const floats = (name: string, values: readonly number[], shape?: readonly number[]): number =>
    editor.constant(`${INPUT}/${name}`, Float32Array.from(values), shape);
  let x = image;
  if (channels === 1) {
    // Exact in float32; shares of 1, because 65536 is beyond the halves in which a GPU computes.
    const luma = floats(
      'luma',
      LUMA.map((value) => value / 65536),
      [1, 1, 1, 3],
    );
    const [rounded, grey] = [made('rounded'), made('grey')];
    const steps = { strideW: 1, strideH: 1, dilationWFactor: 1, dilationHFactor: 1 };
    before.push(
      editor.operator({
        op: 'CONV_2D',
        inputs: [x, luma, floats('half', [0.5])],
        output: rounded,
        options: { type$: 'Conv2DOptions', ...steps },
      }),
      editor.operator({ op: 'FLOOR', inputs: [rounded], output: grey }),
    );
    x = grey;
  }
  const { scale, mean, std } = normalization;
  const [scaled, centred] = [made('scaled'), made('centred')];
  before.push(
    editor.operator({
      op: 'MUL',
      inputs: [x, floats('scale', [scale])],
      output: scaled,
      options: { type$: 'MulOptions' },
    }),
    editor.operator({
      op: 'SUB',
      inputs: [scaled, floats('mean', mean)],
      output: centred,
      options: { type$: 'SubOptions' },
    }),
    editor.operator({
      op: 'DIV',
      inputs: [centred, floats('std', std)],
      output: own,
      options: { type$: 'DivOptions' },
    }),
  );
  const corners = outputs.find((output) => tensors[output]!.name === boxes);
  const scores = outputs.find((output) => output !== corners)!;
  const detector = corners === undefined ? undefined : detectorOf(tensors[scores]!.shape!);
  const last = [
    ...(corners === undefined ? [] : [locationOf(editor, corners, tensors[corners]!.shape!, after)]),
    editor.answer(scores, end, after),
  ];
  const stated = decodeMetadata(model);
  const [main] = (stated?.['subgraphMetadata'] ?? []) as readonly Fields[];
  const metadata = writeFlatbuffer(metadataSchema, {
    ...stated,
    description: description.description,
    subgraphMetadata: [
      {
        ...main,
        inputTensorMetadata: [inputMetadata(INPUT, { image: { colorSpace: 'rgb', mean: [0], std: [1] } })],
        outputTensorMetadata: [
          ...(detector ? [outputMetadata(DETECTOR_OUTPUTS.boxes, false, { areBoxes: true })] : []),
          outputMetadata(end.answer, description.hasLabels, { hasLabels: true }),
        ],
        ...(detector && { customMetadata: [detector] }),
      },
    ],
    minParserVersion: '1.0.0',
  });
  const entries = { [METADATA_NAME]: metadata, [ENTRIES_NAME]: undefined };
  return appendFiles(writeTflite(editor.finished([image], last, { before, after }, entries)), description.files);
}

/** Metadata of a detector with scores [1, points, classes]. */
function detectorOf([, points, classes]: readonly number[]): CustomMetadata {
  return detectorMetadata(points!, classes!);
}

/** From xmin, ymin, xmax, ymax to centre y, centre x, height, width. */
const LOCATION = [
  [0, 0.5, 0, -1],
  [0.5, 0, -1, 0],
  [0, 0.5, 0, 1],
  [0.5, 0, 1, 0],
].flat();

/** Index of the boxes as `detectorMetadata` has them, of corners of this shape [1, points, 4]; the operator that makes them is added to `after`. */
function locationOf(editor: ModelEditor, corners: number, shape: readonly number[], after: Operator[]): number {
  const location = editor.tensor(DETECTOR_OUTPUTS.boxes, 'float32', shape);
  const matrix = editor.constant(`${INPUT}/location`, Float32Array.from(LOCATION), [1, 4, 4]);
  const options = { type$: 'BatchMatMulOptions', adjX: false, adjY: false };
  after.push(editor.operator({ op: 'BATCH_MATMUL', inputs: [corners, matrix], output: location, options }));
  return location;
}
