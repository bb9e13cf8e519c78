import type { Lowering } from './context.ts';
import type { Build } from './rules.ts';

/** Divides integers as float64: exact, and an integer division by zero would end the process. */
function inDoubles(c: Lowering, inputs: readonly string[], dtype: string, floor: boolean): string {
  const [a, b] = inputs.map((x) => c.cast(x, 'float64'));
  const quotient = c.one('Div', [a!, b!]);
  return c.cast(floor ? c.one('Floor', [quotient]) : quotient, dtype as 'int32');
}

export const realDivide: Build = (c, inputs, dtype) =>
  dtype.startsWith('float') ? c.one('Div', inputs) : inDoubles(c, inputs, dtype, false);

export const floorDivide: Build = (c, inputs, dtype) =>
  dtype.startsWith('float') ? c.one('Floor', [c.one('Div', inputs)]) : inDoubles(c, inputs, dtype, true);

/** Remainder with the divisor's sign. ONNX has that for integers (fmod 0) and JavaScript's rule for floats (fmod 1). */
export const modulo: Build = (c, [a, b], dtype) => {
  const zero = c.scalar(dtype, 0);
  if (!dtype.startsWith('float')) {
    const divisor = c.one('Where', [c.one('Equal', [b!, zero]), c.scalar(dtype, 1), b!]);
    return c.one('Mod', [a!, divisor], { fmod: 0 });
  }
  const remainder = c.one('Mod', [a!, b!], { fmod: 1 });
  const shifted = c.one('Mod', [c.one('Add', [remainder, b!]), b!], { fmod: 1 });
  const sameSign = c.one('Equal', [c.one('Less', [a!, zero]), c.one('Less', [b!, zero])]);
  return c.one('Where', [sameSign, remainder, shifted]);
};

/** atan(y / x) is right for x > 0; it is shifted by ±π for x < 0, and x = 0 gives ±π/2. */
export const atan2: Build = (c, [y, x], dtype) => {
  const zero = c.scalar(dtype, 0);
  const number = (value: number): string => c.scalar(dtype, value);
  const angle = c.one('Atan', [c.one('Div', [y!, x!])]);
  const half = c.one('Where', [c.one('Less', [y!, zero]), number(-Math.PI), number(Math.PI)]);
  const left = c.one('Add', [angle, half]);
  const upright = c.one('Mul', [c.one('Sign', [y!]), number(Math.PI / 2)]);
  const notLeft = c.one('Where', [c.one('Equal', [x!, zero]), upright, angle]);
  const result = c.one('Where', [c.one('Less', [x!, zero]), left, notLeft]);
  return c.one('Where', [c.one('IsNaN', [c.one('Add', [x!, y!])]), c.one('Add', [x!, y!]), result]);
};
