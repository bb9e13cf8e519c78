import { UserError } from '../../base/errors.ts';
import { rowsOfHeatMaps, probabilitiesOfRows, toPlaces } from './marginals.ts';
import type { PlaceRows } from './marginals.ts';

/** Values of an output of a file, [n, …]. */
export interface Values {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Height and width of the pictures that a file takes, in pixels. */
interface Size {
  readonly height: number;
  readonly width: number;
}

/** A file that answers with points, as messages name it, and its points. */
export interface PointsFile {
  readonly name: string;
  /** Number of its points. */
  readonly count: number;
  /** Index in the file of each point of the data set. */
  readonly order: readonly number[];
  readonly size: Size;
  /** Order of the axes of its pictures, for heat maps in which both orders are possible. */
  readonly isChannelsLast: boolean;
  /** True if the recipe says that the answers are logits. */
  readonly areLogits: boolean;
  /** True if the recipe names the output of columns, then that of rows. */
  readonly isStated: boolean;
}

/** Reading of outputs that hold the places of points. */
export interface Reading {
  readonly kind: 'rows' | 'heat maps' | 'coordinates';
  /** Names of the outputs, in the order of `places` and `logits`. */
  readonly outputs: readonly string[];
  /** Facts that were measured on the values, such as the spread of each point; they are part of the key of stored answers. */
  readonly facts: object;
  /** True if only labels tell which axis is first. */
  readonly isUnsure: boolean;
  /** PlaceRows of logits over `bins` places, [n, points, 2, bins], in the order of the data set. */
  readonly logits?: (values: readonly Values[], bins: number) => Float32Array;
  /** Coordinates as shares of the picture's sides, [n, points, 2], in the order of the data set. */
  readonly places?: (values: readonly Values[]) => Float32Array;
}

/** Numbers of a point with coordinates: x and y, then depth, visibility or score, which are not read. */
const [FEWEST, MOST] = [2, 5];
/** Shortest row over places: shorter rows are coordinates. */
const SHORTEST = 8;
/** Largest share of a picture's side at which coordinates in shares may lie. */
const LARGEST_SHARE = 2;
/** Factor on the answers of SimCC files of mmpose before their softmax, by which their loss is computed (`beta` of KLDiscretLoss in RTMPose's configurations). */
const BETA = 10;

type Output = readonly [name: string, values: Values];

/** The reading of a file by the shapes and values of its outputs, as it gave them to samples. `UserError` for outputs that are no points, or of which several may be. */
export function layoutOfOutputs(file: PointsFile, outputs: readonly Output[]): Reading {
  const fitting = outputs.flatMap((output) => {
    const found = formOf(output[1].shape, file);
    return found === undefined ? [] : [{ output, found }];
  });
  const [first, second, ...others] = fitting;
  const list = (all: readonly Output[]): string =>
    all.map(([name, { shape }]) => `${name} [${shape.join(', ')}]`).join(', ') || 'none';
  if (first === undefined)
    throw new UserError(
      `${file.name}: expected places of ${file.count} points: rows over columns and over rows of the picture, [n, ${file.count}, places], heat maps [n, ${file.count}, height, width] or [n, height, width, ${file.count}], or coordinates [n, ${file.count}, 2], received ${list(outputs)}`,
      'Name the points of the file in `teacher.classes`, in its order, even those that the data set lacks; `teacher.output` names the output.',
    );
  if (second === undefined) return READ[first.found](file, [first.output]);
  const arePair = first.found === 'joined rows' && second.found === 'joined rows' && others.length === 0;
  if (arePair) return pairOfRows(file, [first.output, second.output]);
  throw new UserError(
    `${file.name}: several outputs may be the places of ${file.count} points: ${list(fitting.map(({ output }) => output))}`,
    'Name the right output in `teacher.output`; two outputs for columns and rows as `teacher.outputs: { x: …, y: … }`.',
  );
}

type Form = 'own rows' | 'joined rows' | 'heat maps' | 'coordinates';

/** Form of an output of this shape; undefined if it is none of points. */
function formOf(shape: readonly number[], { count }: PointsFile): Form | undefined {
  const [, ...rest] = shape;
  const isFew = (size: number): boolean => size >= FEWEST && size <= MOST;
  if (rest.length === 1) {
    const each = rest[0]! / count;
    if (isFew(each) && Number.isInteger(each)) return 'coordinates';
    return each % 2 === 0 && each >= 2 * SHORTEST ? 'own rows' : undefined;
  }
  const [first, second, third] = rest as [number, number, number?];
  if (rest.length === 2 && first === count) {
    if (isFew(second)) return 'coordinates';
    return second >= SHORTEST ? 'joined rows' : undefined;
  }
  if (rest.length !== 3) return undefined;
  if (first === 1 && second === count && isFew(third!)) return 'coordinates';
  if (first === count && second === 2 && third! >= SHORTEST) return 'own rows';
  const isMap = (...sides: readonly number[]): boolean => sides.every((side) => side >= SHORTEST);
  return (first === count && isMap(second, third!)) || (third === count && isMap(first, second))
    ? 'heat maps'
    : undefined;
}

const READ: Readonly<Record<Form, (file: PointsFile, outputs: readonly [Output]) => Reading>> = {
  'own rows': (file, [[name, { data, shape }]]) => {
    const places = data.length / shape[0]! / file.count / 2;
    return rowsReading(file, [name], {
      facts: { places },
      isUnsure: false,
      // The rows are logits, also of a file that is little trained.
      split: ([values]) => halves(values!.data, [places, places], file),
    });
  },
  'joined rows': (file, [[name, { data, shape }]]) => {
    const { height, width } = file.size;
    const across = (shape[2]! * width) / (width + height);
    if (!Number.isInteger(across))
      throw new UserError(
        `${file.name}: expected rows over columns and rows of pictures of ${width}x${height} (width x height), received ${name} [${shape.join(', ')}]`,
        'Export the file with an output for the columns and one for the rows.',
      );
    const sharpness = sharpnessOf(data, file);
    return rowsReading(file, [name], {
      facts: { across, sharpness },
      isUnsure: false,
      sharpness,
      split: ([values]) => halves(values!.data, [across, shape[2]! - across], file),
    });
  },
  'heat maps': (file, [[name, { data, shape }]]) => {
    const { count, order, isChannelsLast } = file;
    const [, first, , last] = shape as readonly [number, number, number, number];
    const isLast = last === count && (first !== count || isChannelsLast);
    const areResponses = !file.areLogits && areHeights(data);
    return {
      kind: 'heat maps',
      outputs: [name],
      facts: { isLast, areResponses },
      isUnsure: false,
      logits: ([values], bins) => {
        const { x, y } = rowsOfHeatMaps(values!, { count, isLast, areResponses });
        return toPlaces(x, y, { count, order, bins });
      },
    };
  },
  coordinates: ({ count, order, size }, [[name, { data, shape }]]) => {
    const each = data.length / shape[0]! / count;
    const largest = data.reduce((most, value, i) => (i % each < 2 ? Math.max(most, Math.abs(value)) : most), 0);
    const unit = largest <= LARGEST_SHARE ? 'shares' : 'pixels';
    const sides = unit === 'shares' ? [1, 1] : [size.width, size.height];
    return {
      kind: 'coordinates',
      outputs: [name],
      facts: { unit },
      isUnsure: true,
      places: ([values]) => {
        const n = values!.shape[0]!;
        const out = new Float32Array(n * order.length * 2);
        for (let i = 0; i < n; i++)
          order.forEach((at, k) => {
            for (const axis of [0, 1])
              out[(i * order.length + k) * 2 + axis] = values!.data[(i * count + at) * each + axis]! / sides[axis]!;
          });
        return out;
      },
    };
  },
};

/** PlaceRows over columns and rows in two outputs. */
function pairOfRows(file: PointsFile, pair: readonly [Output, Output]): Reading {
  const { height, width } = file.size;
  const [[, { shape: one }], [, { shape: other }]] = pair;
  const isSquare = height === width && one[2] === other[2];
  const isNamed = file.isStated || pair.some(([name], i) => /x$/i.test(name) && /y$/i.test(pair[1 - i]![0]));
  const isOtherWay = isSquare ? /y$/i.test(pair[0][0]) && isNamed : one[2]! * height !== other[2]! * width;
  const isYFirst = !file.isStated && isOtherWay;
  const [x, y] = isYFirst ? [pair[1], pair[0]] : pair;
  if (x[1].shape[2]! * height !== y[1].shape[2]! * width)
    throw new UserError(
      `${file.name}: expected rows over columns and rows of pictures of ${width}x${height} (width x height), received ${pair.map(([name, { shape }]) => `${name} [${shape.join(', ')}]`).join(', ')}`,
      'Set `teacher.resize` to the height and width of its pictures.',
    );
  const sharpness = sharpnessOf(x[1].data, file);
  return rowsReading(file, [x[0], y[0]], {
    facts: { sharpness },
    isUnsure: isSquare && !isNamed,
    sharpness,
    split: ([columns, rows]) => ({
      x: { data: columns!.data, cells: columns!.shape[2]! },
      y: { data: rows!.data, cells: rows!.shape[2]! },
    }),
  });
}

function rowsReading(
  { count, order }: PointsFile,
  outputs: readonly string[],
  {
    split,
    sharpness = 1,
    ...found
  }: Pick<Reading, 'facts' | 'isUnsure'> & {
    readonly split: (values: readonly Values[]) => { readonly x: PlaceRows; readonly y: PlaceRows };
    readonly sharpness?: number;
  },
): Reading {
  return {
    kind: 'rows',
    outputs,
    ...found,
    logits: (values, bins) => {
      const { x, y } = split(values);
      return toPlaces(probabilitiesOfRows(x, sharpness), probabilitiesOfRows(y, sharpness), { count, order, bins });
    },
  };
}

/** PlaceRows of x and of y of values [n, points, x places + y places]. */
function halves(
  data: Float32Array,
  [across, down]: readonly [number, number],
  { count }: Pick<PointsFile, 'count'>,
): { readonly x: PlaceRows; readonly y: PlaceRows } {
  const each = across + down;
  const rows = Math.floor(data.length / each / count) * count;
  const [x, y] = [new Float32Array(rows * across), new Float32Array(rows * down)];
  for (let row = 0; row < rows; row++) {
    x.set(data.subarray(row * each, row * each + across), row * across);
    y.set(data.subarray(row * each + across, (row + 1) * each), row * down);
  }
  return { x: { data: x, cells: across }, y: { data: y, cells: down } };
}

/**
 * Factor on rows before their softmax. Answers of mmpose lie between 0 and about 1, which as logits would be flat: no place could have three times e the
 * probability of another.
 */
function sharpnessOf(data: Float32Array, { areLogits }: PointsFile): number {
  return !areLogits && data.every((value) => value > -1 && value < 2) ? BETA : 1;
}

/** True for maps of heights above 0, such as Gaussians around the points; false for logits. */
function areHeights(data: Float32Array): boolean {
  const sorted = Float32Array.from(data).sort();
  const [lowest, middle, highest] = [sorted[0]!, sorted[sorted.length >> 1]!, sorted.at(-1)!];
  return highest > 0 && lowest >= -0.5 * highest && Math.abs(middle) < 0.1 * highest;
}
