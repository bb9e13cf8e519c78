import { UserError } from '../../base/errors.ts';
import { toHalfArray } from '../../base/bytes.ts';
import { encodeModel } from '../../formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../formats/onnx/lower.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import type { SessionOptions } from './session.ts';
import { ortTensor, OnnxSession, tensorValues } from './session.ts';

const known = new Map<string, string | undefined>();

/** `UserError` if a device cannot multiply float16 matrices, tested with a product of two small ones. */
export function requireHalf(device: string, options: SessionOptions): void {
  const fault = halfFault(device, options);
  if (fault === undefined) return;
  throw new UserError(
    `precision mixed: device ${device} cannot compute in float16: ${fault}`,
    'Leave precision out, or choose another device; limbeck doctor says what works here.',
  );
}

/** Reason why a device cannot multiply float16 matrices; undefined if it can. */
export function halfFault(device: string, options: SessionOptions): string | undefined {
  if (!known.has(device)) known.set(device, faultOf(options));
  return known.get(device);
}

function faultOf(options: SessionOptions): string | undefined {
  const half = { dtype: 'float16', shape: [2, 2] } as const;
  const b = new GraphBuilder();
  const product = b.op('BatchMatMul', [b.input('a', half), b.input('b', half)], {
    transposeA: false,
    transposeB: false,
  });
  b.output('y', b.op('Cast', [product], { dtype: 'float32' }));
  const tensor = (...values: number[]) => ortTensor('float16', toHalfArray(Float32Array.from(values)), [2, 2]);
  try {
    const session = new OnnxSession(encodeModel(lowerToOnnx(b.build())), { ...options, logSeverityLevel: 4 });
    const { y } = session.run({ a: tensor(1, 2, 3, 4), b: tensor(0.5, -1, 2, 8) }, { y: null });
    session.dispose();
    return [...tensorValues(y!)].join() === '4.5,15,9.5,29' ? undefined : 'it multiplies wrongly';
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return text.split('\n', 1)[0]!.slice(0, 300);
  }
}
