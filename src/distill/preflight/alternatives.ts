import type { Dataset } from '../../data/dataset.ts';
import type { FileTeacherSettings } from '../teachers/file-teacher.ts';
import type { Alternative } from './diagnosis.ts';
import type { Teacher } from '../teachers/teacher.ts';

type Reading = Pick<FileTeacherSettings, 'layout' | 'normalize' | 'output'>;

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/**
 * The usual ways to prepare a teacher's input, except the requested one: each may be a setting that the user forgot. Layouts are tried only if the
 * file does not fix its own. `own`: the teacher as the recipe reads it, its key and the further outputs of its file.
 */
export function alternativesOf(
  { samples, sampleShape, normalization, text }: Dataset,
  { layout, normalize: asked }: Partial<Reading>,
  open: (change: Partial<Reading>) => Promise<Teacher>,
  own: Pick<Teacher, 'key' | 'otherOutputs'>,
): Alternative[] {
  // A layout that is found to be the file's own changes nothing beside a normalization either.
  const ownLayouts = new Set<Reading['layout']>();
  const variant = (what: string, change: Partial<Reading>): Alternative => ({
    what,
    keys: { ...change, ...(change.normalize && { normalize: shortened(change.normalize, samples) }) },
    open: async () => {
      if (change.layout !== undefined && ownLayouts.has(change.layout)) return undefined;
      const other = await open(change);
      if (other.key !== own.key) return other;
      if (change.layout !== undefined && change.normalize === undefined) ownLayouts.add(change.layout);
      await other.dispose();
      return undefined;
    },
  });
  const others = (own.otherOutputs ?? []).map((output) => variant(`output: ${output}`, { output }));
  // Token ids are fed unchanged.
  if (text !== undefined) return others;
  const isEightBit = samples instanceof Uint8Array;
  const channels = sampleShape.at(-1)!;
  const normalizations: readonly (readonly [string, Reading['normalize']])[] = [
    // Normalizations are given in numbers: without a setting, the file's metadata might apply.
    ['the input as the student sees it', asked === undefined ? undefined : normalization],
    ['normalize: {scale: 1}', { scale: 1, mean: 0, std: 1 }],
    ...(isEightBit
      ? ([
          ['normalize: {mean: 0, std: 1}', { scale: 1 / 255, mean: 0, std: 1 }],
          ['normalize: {mean: 0.5, std: 0.5}', { scale: 1 / 255, mean: 0.5, std: 0.5 }],
        ] as const)
      : []),
    ...(isEightBit && channels === 3
      ? ([
          [
            `normalize: {mean: [${IMAGENET.mean.join(', ')}], std: [${IMAGENET.std.join(', ')}]}`,
            { scale: 1 / 255, ...IMAGENET },
          ],
        ] as const)
      : []),
  ];
  const layouts = (['nchw', 'nhwc'] as const).filter(
    (other) => layout !== undefined && sampleShape.length > 1 && other !== layout,
  );
  return [
    ...others,
    ...layouts.map((other) => variant(`layout: ${other}`, { layout: other })),
    ...normalizations.flatMap(([what, normalize]) =>
      normalize === undefined && asked === undefined ? [] : [variant(what, { normalize })],
    ),
    ...layouts.flatMap((other) =>
      normalizations.map(([what, normalize]) => variant(`layout: ${other} and ${what}`, { layout: other, normalize })),
    ),
  ];
}

/** A normalization as a recipe states it: one number for equal channels, and no scale that is the default for such samples. */
function shortened(
  { scale, mean, std }: NonNullable<Reading['normalize']>,
  samples: Dataset['samples'],
): Record<string, number | readonly number[]> {
  const short = (values: number | readonly number[]): number | readonly number[] =>
    typeof values !== 'number' && new Set(values).size === 1 ? values[0]! : values;
  const isDefault = scale === undefined || scale === (samples instanceof Uint8Array ? 1 / 255 : 1);
  return { ...(!isDefault && { scale }), mean: short(mean), std: short(std) };
}
