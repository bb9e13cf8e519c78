import { UserError } from '../../../base/errors.ts';
import type { ModelValue } from '../../../runtime/inference.ts';

/** Values of an output for a picture. */
export interface Output {
  /** Name in the file, for messages. */
  readonly name: string;
  readonly data: Float32Array;
  /** Without the axis of the batch. */
  readonly shape: readonly number[];
}

/** Boxes and scores that a detector gives for a picture. Layouts that need non-maximum suppression have not had it yet. */
export interface ScoredBoxes {
  /** [n, 4] xmin, ymin, xmax, ymax. */
  readonly boxes: Float32Array;
  /** [n, classes] probabilities; 0 for the classes that a box does not have. */
  readonly scores: Float32Array;
}

export interface DecodeOptions {
  /** Name of the file for messages. */
  readonly file: string;
  /** Number of the file's own classes. */
  readonly classes: number;
  /** Form of a box: centre, width and height, or two corners. */
  readonly sides: 'centres' | 'corners';
  readonly order: 'xyxy' | 'yxyx';
  /** Number of the first class in the file. */
  readonly firstLabel: number;
}

/** Reading of a layout of detectors' outputs. */
export interface Decoder {
  /** True if boxes are in shares of the picture whatever the recipe says. */
  readonly isInShares?: true;
  /** True if boxes of one object are many, of which non-maximum suppression chooses. */
  readonly hasRivals?: true;
  /** True if the number of boxes differs between pictures, so that a call is about one picture. */
  readonly isOpen?: true;
  /** Outputs of the file in the order of `DECODERS`; undefined if they are not told apart. */
  readonly find: (outputs: readonly ModelValue[]) => readonly (ModelValue | undefined)[];
  /** Boxes of a picture; `UserError` for outputs of another layout. */
  readonly decode: (outputs: readonly Output[], options: DecodeOptions) => ScoredBoxes;
}

/** Error for outputs that have another form than the layout. */
export function otherLayout(file: string, expected: string, outputs: readonly Output[], hint?: string): UserError {
  const received = outputs.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ');
  return new UserError(
    `${file}: expected ${expected} for each picture, received ${received}`,
    hint ??
      'Name the layout of the file in teacher.decoder and its classes in teacher.classes, in their order, even those that the data set lacks.',
  );
}

/** `UserError` for scores that are no probabilities. */
export function checkProbabilities(file: string, { name, data }: Output): void {
  const other = data.find((value) => !(value >= -1e-3 && value <= 1.001));
  if (other === undefined) return;
  throw new UserError(
    `${file}: expected probabilities as scores of boxes, received ${other.toPrecision(4)} in ${name}`,
    'Export the detector up to its probabilities, or name its layout in teacher.decoder.',
  );
}

/** The only output of this rank; undefined if there are none or several. */
export function onlyOfRank(outputs: readonly ModelValue[], rank: number): ModelValue | undefined {
  const fitting = outputs.filter(({ shape }) => shape.length === rank);
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** Corners [n, 4] of boxes given as centre, width and height. */
export function cornersOf(centred: Float32Array): Float32Array {
  return centred.map((_, i) => {
    const [at, side] = [i - (i % 4), i % 4];
    const half = centred[at + 2 + (side % 2)]! / 2;
    return centred[at + (side % 2)]! + (side < 2 ? -half : half);
  });
}
