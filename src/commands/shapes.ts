import { UserError } from '../base/errors.ts';
import type { InputShapes } from '../formats/onnx/sizes.ts';

export const shapeOption = {
  type: 'string',
  array: true,
  default: [] as string[],
  describe: 'ONNX: sizes of an input that the file leaves open: image=1,3,224,224, or image=batch,3,224,224',
} as const;

/** `name=1,3,224,224` for each input; the first size may be `batch`, which stays open. */
export function inputShapes(texts: readonly string[]): InputShapes {
  return new Map(
    texts.map((text) => {
      const at = text.lastIndexOf('=');
      const sizes = text.slice(at + 1).split(',');
      const shape = sizes.map((size, axis) => (axis === 0 && size === 'batch' ? size : Number(size)));
      const isShape = shape.every((size) => size === 'batch' || (Number.isInteger(size) && size > 0));
      if (at < 1 || !isShape)
        throw new UserError(`--shape: expected NAME=1,3,224,224, received ${text}`, 'Name the input, then its sizes.');
      return [text.slice(0, at), shape] as const;
    }),
  );
}
