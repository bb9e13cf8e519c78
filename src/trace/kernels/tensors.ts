import * as tf from '@tensorflow/tfjs-core';
import type { LazyBackend } from '../backend.ts';
import type { TensorRow, TensorTable } from './table.ts';
import { cast, filled } from './table.ts';
import { leaf } from '../value.ts';

/** The same data with another shape: no op is recorded until the shape is needed. */
function shared(x: tf.TensorInfo, shape: number[], backend: LazyBackend): tf.TensorInfo {
  backend.incRef(x.dataId);
  return { dataId: x.dataId, shape, dtype: x.dtype };
}

const fill: TensorRow = (_, { shape, value, dtype }, backend) => {
  const type = (dtype as tf.DataType | null | undefined) ?? tf.util.inferDtype(value as number);
  if (type === 'string') {
    const strings = Array.from({ length: tf.util.sizeFromShape(shape as number[]) }, () => value as string);
    return {
      dataId: backend.write(
        strings.map((s) => tf.util.encodeString(s)),
        shape as number[],
        'string',
      ),
      shape: shape as number[],
      dtype: 'string',
    };
  }
  return backend.hold(filled(Number(value), shape as number[], type as 'float32'));
};

const like =
  (value: number): TensorRow =>
  ({ x }, _, backend) => {
    const { shape, dtype } = x!;
    if (dtype === 'string') {
      const strings = Array.from({ length: tf.util.sizeFromShape(shape) }, () => tf.util.encodeString(''));
      return { dataId: backend.write(strings, shape, 'string'), shape, dtype };
    }
    const part = (fillWith: number): tf.TensorInfo =>
      backend.hold(filled(fillWith, shape, dtype === 'complex64' ? 'float32' : dtype));
    return dtype === 'complex64' ? backend.holdComplex(part(value), part(0)) : part(value);
  };

export const tensors: TensorTable = {
  Identity: ({ x }, _, backend) => shared(x!, x!.shape, backend),
  Reshape: ({ x }, { shape }, backend) => {
    const to = tf.util.inferFromImplicitShape(shape as number[], tf.util.sizeFromShape(x!.shape));
    tf.util.assert(
      tf.util.sizeFromShape(to) === tf.util.sizeFromShape(x!.shape),
      () => `The new shape (${to.join()}) does not have the size of the old shape (${x!.shape.join()}).`,
    );
    return shared(x!, to, backend);
  },
  ExpandDims: ({ input }, { dim }, backend) => {
    const shape = [...input!.shape];
    tf.util.assert(
      -(shape.length + 1) <= (dim as number),
      () => `Axis must be in the interval [${-(shape.length + 1)}, ${shape.length}]`,
    );
    shape.splice((dim as number) < 0 ? shape.length + (dim as number) + 1 : (dim as number), 0, 1);
    return shared(input!, shape, backend);
  },
  Cast: ({ x }, { dtype }, backend) => {
    const to = dtype as tf.DataType;
    if (to === x!.dtype) return shared(x!, x!.shape, backend);
    if (to === 'complex64') {
      const real = backend.hold(cast(backend.lookup(x!), 'float32'));
      return backend.holdComplex(real, backend.hold(filled(0, x!.shape)));
    }
    const source = x!.dtype === 'complex64' ? backend.partsOf(x!).real : x!;
    return backend.hold(cast(backend.lookup(source), to as 'float32'));
  },
  Complex: ({ real, imag }, _, backend) =>
    backend.holdComplex(backend.hold(backend.lookup(real!)), backend.hold(backend.lookup(imag!))),
  // The parts are freed with the complex tensor, so the result holds its value separately.
  Real: ({ input }, _, backend) => backend.hold(backend.lookup(backend.partsOf(input!).real)),
  Imag: ({ input }, _, backend) => backend.hold(backend.lookup(backend.partsOf(input!).imag)),
  Fill: fill,
  ZerosLike: like(0),
  OnesLike: like(1),
  Range: (inputs, { start, stop, step, dtype }, backend) => {
    const values = numbers(start as number, stop as number, step as number);
    const type = (dtype as 'float32' | 'int32' | undefined) ?? 'float32';
    const data = type === 'int32' ? Int32Array.from(values) : Float32Array.from(values);
    return backend.hold(leaf(data, { dtype: type, shape: [values.length] }));
  },
  LinSpace: (inputs, { start, stop, num }, backend) => {
    const step = ((stop as number) - (start as number)) / ((num as number) - 1);
    const data = Float32Array.from({ length: num as number }, (_, i) => (start as number) + (i === 0 ? 0 : step * i));
    return backend.hold(leaf(data, { dtype: 'float32', shape: [num as number] }));
  },
};

function numbers(start: number, stop: number, step: number): number[] {
  const wrongWay = (start < stop && step < 0) || (start > stop && step > 0 && step !== 1);
  if (start === stop || wrongWay) return [];
  const by = stop < start && step === 1 ? -1 : step;
  return Array.from({ length: Math.abs(Math.ceil((stop - start) / by)) }, (_, i) => start + i * by);
}
