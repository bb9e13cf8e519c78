import { shown, UserError } from '../../base/errors.ts';
import type { DatasetConfig, ImageOptions } from '../../data/config.ts';
import type { PointsForm } from '../../data/dataset.ts';
import type { PicturesGiven } from '../../data/pictures/images.ts';
import type { Part } from '../../data/readers/registry.ts';
import type { LabelsRead } from '../../data/readers/labelled.ts';
import { UNPAIRED } from './layout.ts';
import { unpaired } from './move.ts';

type Pairs = readonly (readonly [string, string])[];

/** Keys of a data set with points that its reader reads. */
export interface PointsOptions extends ImageOptions, LabelsRead, PicturesGiven {
  readonly part: Part;
  readonly classes?: readonly string[] | undefined;
  readonly skeleton?: Pairs | undefined;
  readonly flipPairs?: Pairs | undefined;
  readonly sigmas?: number | readonly number[] | undefined;
  readonly pck?: readonly number[] | undefined;
  readonly margin?: number | undefined;
  readonly augment?: DatasetConfig['augment'] | undefined;
}

/** Points as a file names and pairs them. */
export interface NamedPoints {
  /** For messages. */
  readonly file: string;
  readonly names: readonly string[];
  /** Pairs of indexes. */
  readonly skeleton?: readonly (readonly [number, number])[] | undefined;
  /** Index of the point that takes the place of each in a flipped picture. */
  readonly partners?: readonly number[] | undefined;
}

const [SIGMA, PCK] = [0.05, [0.05, 0.02, 0.1]];

/** Deviations of COCO's 17 points of a person (cocoeval.py of pycocotools). */
const OF_PERSONS = [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89].map((n) => n / 1000);

/** Points of a data set, of its file and its recipe. `UserError` for names that are no points, and for a flip without pairs. */
export function pointsForm(named: NamedPoints, options: PointsOptions): PointsForm {
  const { names } = named;
  const twice = names.find((name, k) => names.indexOf(name) !== k);
  if (twice !== undefined)
    throw new UserError(`${named.file}: two points are called ${shown(twice)}`, 'Give each point a name of its own.');
  const indexes = (key: string, pairs: Pairs): [number, number][] => pairs.map((pair) => indexesOf(key, pair, names));
  const { sigmas = names.length === OF_PERSONS.length && names[0] === 'nose' ? OF_PERSONS : SIGMA } = options;
  const all = typeof sigmas === 'number' ? names.map(() => sigmas) : sigmas;
  if (all.length !== names.length)
    throw new UserError(
      `dataset.sigmas: expected a number for each of ${names.length} points, received ${all.length}`,
      `Write them in the order ${names.join(', ')}, or one number for all.`,
    );
  const partners = partnersOf(named, options.flipPairs && indexes('flipPairs', options.flipPairs));
  const isFlipped = options.augment?.some((step) => 'flip' in step) === true;
  if (isFlipped && partners.includes(UNPAIRED)) throw unpaired();
  return {
    skeleton: options.skeleton ? indexes('skeleton', options.skeleton) : (named.skeleton ?? []),
    partners,
    sigmas: all,
    pck: options.pck ?? PCK,
  };
}

function indexesOf(key: string, pair: readonly [string, string], names: readonly string[]): [number, number] {
  return pair.map((name) => {
    const at = names.indexOf(name);
    if (at !== -1) return at;
    throw new UserError(`dataset.${key}: there is no point ${shown(name)}`, `The points are ${names.join(', ')}.`);
  }) as [number, number];
}

/** Index of the point that takes the place of each: by the recipe, the file, or names that differ by left and right. */
function partnersOf(
  { file, names, partners }: NamedPoints,
  pairs: readonly (readonly [number, number])[] | undefined,
): readonly number[] {
  if (pairs !== undefined) {
    const own = names.map((_, k) => k);
    for (const [a, b] of pairs) [own[a], own[b]] = [b, a];
    requireExchange(own, 'dataset.flipPairs', names);
    return own;
  }
  if (partners !== undefined) {
    requireExchange(partners, `${file}: flip_idx`, names);
    return partners;
  }
  const other = (name: string): string =>
    name.replace(/left|right/gi, (side) => {
      const to = side.toLowerCase() === 'left' ? 'right' : 'left';
      return side === side.toUpperCase()
        ? to.toUpperCase()
        : /^[LR]/.test(side)
          ? to[0]!.toUpperCase() + to.slice(1)
          : to;
    });
  const isNamed = names.some((name) => other(name) !== name);
  return isNamed ? names.map((name) => names.indexOf(other(name))) : names.map(() => UNPAIRED);
}

/** `UserError` unless flip pairs are mutual: the partner of the partner of a point is the point. */
function requireExchange(partners: readonly number[], where: string, names: readonly string[]): void {
  const bad = partners.findIndex((partner, k) => partners[partner] !== k);
  if (bad === -1 && partners.length === names.length) return;
  throw new UserError(
    bad === -1
      ? `${where}: expected an index for each of ${names.length} points, received ${partners.length}`
      : `${where}: ${names[bad] ?? `point ${bad}`} has no partner that it is the partner of`,
    'Name each pair once; a point that keeps its name is its own partner.',
  );
}
