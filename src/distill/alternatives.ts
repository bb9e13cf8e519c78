import type { Alternative } from './preflight.ts';
import { onnxTeacher } from './onnx-teacher.ts';
import type { OnnxTeacherSettings, OnnxTeacherSource } from './onnx-teacher.ts';

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** The usual ways to prepare a teacher's input, other than the one asked for: each may be what was forgotten. */
export function onnxAlternatives(source: OnnxTeacherSource, settings: OnnxTeacherSettings): Alternative[] {
  const { samples, sampleShape } = source.dataset;
  const isEightBit = samples instanceof Uint8Array;
  const channels = sampleShape.at(-1)!;
  const normalizations: readonly (readonly [string, OnnxTeacherSettings['normalize']])[] = [
    ['the input as the student sees it', undefined],
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
    (layout) => sampleShape.length === 3 && layout !== settings.layout,
  );
  const variant = (what: string, change: Partial<OnnxTeacherSettings>): Alternative => ({
    what,
    open: () => onnxTeacher(source, { ...settings, ...change }),
  });
  return [
    ...layouts.map((layout) => variant(`layout: ${layout}`, { layout })),
    ...normalizations.map(([what, normalize]) => variant(what, { normalize })),
    ...layouts.flatMap((layout) =>
      normalizations.map(([what, normalize]) => variant(`layout: ${layout} and ${what}`, { layout, normalize })),
    ),
  ];
}
