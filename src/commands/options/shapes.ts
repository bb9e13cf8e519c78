import { UserError } from '../../base/errors.ts';
import type { InputShape, InputShapes } from '../../formats/onnx/sizes.ts';

const list = { type: 'string', array: true, default: [] as string[] } as const;

/** Options of commands that read ONNX files. */
export const inputOptions = {
  shape: {
    ...list,
    describe:
      'Sizes of an input that an ONNX file (for inspect also a TFLite file) leaves open: image=1,3,224,224, or image=batch,3,224,224',
  },
  fix: { ...list, describe: 'ONNX: the value of all numbers of an input, which is then none any more: sr=16000' },
} as const;

export interface InputArgs {
  readonly shape: readonly string[];
  readonly fix: readonly string[];
}

/** Parses `name=1,3,224,224` for each input, where the first size may be `batch`, which stays open; and `name=16000` of `fix`. */
export function inputShapes({ shape: shapes, fix }: InputArgs): InputShapes {
  const values = fix.map((text): readonly [string, InputShape] => {
    const at = text.lastIndexOf('=');
    const value = text.slice(at + 1).trim();
    if (at < 1 || value === '' || !Number.isFinite(Number(value)))
      throw new UserError(`--fix: expected NAME=16000, received ${text}`, 'Name the input, then its value.');
    return [text.slice(0, at), { value: Number(value) }];
  });
  const namedShapes = shapes.map((text): readonly [string, InputShape] => {
    const at = text.lastIndexOf('=');
    const sizes = text.slice(at + 1).split(',');
    const shape = sizes.map((size, axis) => (axis === 0 && size === 'batch' ? size : Number(size)));
    const isShape = shape.every((size) => size === 'batch' || (Number.isInteger(size) && size > 0));
    if (at < 1 || !isShape)
      throw new UserError(`--shape: expected NAME=1,3,224,224, received ${text}`, 'Name the input, then its sizes.');
    return [text.slice(0, at), shape];
  });
  const both = namedShapes.find(([name]) => values.some(([other]) => other === name));
  if (both !== undefined)
    throw new UserError(
      `--fix: ${both[0]} has a shape too`,
      'Leave its --shape out: an input with a value is none any more.',
    );
  return new Map([...namedShapes, ...values]);
}
