/** Data of each input of a model: its part of a prepared sample, in its own type. */
export function feedsOf({ inputs }, prepared) {
  return inputs.map(({ name, dtype, shape, from }) => {
    const part = prepared.slice(from, from + shape.reduce((size, length) => size * length));
    if (dtype === 'float32') return { name, dtype, shape, data: part };
    const fraction = part.find((value) => !Number.isInteger(value));
    if (fraction !== undefined) throw new Error('input ' + name + ': expected whole numbers, received ' + fraction);
    return { name, dtype, shape, data: dtype === 'int64' ? BigInt64Array.from(part, BigInt) : Int32Array.from(part) };
  });
}
